# Every target sets up what it needs first: Debian packages, Python environments. On a bare machine run it as root.
STAGES = lint unit sanity molecule integration e2e docs build

.PHONY: test full $(STAGES) setup demo bench lock clean
.DEFAULT_GOAL = test

test: ## every check, in the time that one waits for: modules with Ceph 16, without the tests marked "full"
	@SHORT=yes RELEASES=16 .ci/test $(STAGES)

full: ## everything; what a release of the collection has to pass
	@.ci/test $(STAGES)

$(STAGES) setup: ## one stage; K=EXPRESSION selects tests of integration and e2e (pytest -k)
	@K='$(K)' .ci/test $@

demo: setup ## a diskless host boots from Ceph on this machine
	@. .ci/env && exec lab/lab demo

bench: setup ## the figures of docs/performance.md
	@. .ci/env && for script in bench/*; do [ ! -x "$$script" ] || "$$script" || exit; done

lock: setup ## newer versions of the tools
	@.ci/lock/renew

clean: ## caches, logs and built files
	rm -rf .cache build tests/output

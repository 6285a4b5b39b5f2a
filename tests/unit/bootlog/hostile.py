# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines as somebody would send them who wants the reader's browser or terminal to do something."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)><svg onload=alert(1)>",
    "\"><b id=planted onmouseover='alert(1)'>",
    "</td></tr></table><iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %}",
    "javascript:alert(1) &lt;b&gt; &#60;script&#62;",
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x08\r",
    "\u202egnp.exe\u2066\u200bhidden\u2069\ufeff\u2028next",
)
# What must not be in anything that people see.
HIDDEN = "\x1b\x07\x9b\x08\u202e\u2066\u200b\u2069\ufeff\u2028"

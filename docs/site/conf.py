# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx configuration of the documentation site. It builds offline: nothing in it is fetched."""

from __future__ import annotations

project = "diskless.ceph"
project_copyright = "diskless.ceph contributors"
title = html_short_title = "diskless.ceph"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_copy_source = False
html_use_index = False
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
default_role = "any"
nitpicky = True
myst_heading_anchors = 3

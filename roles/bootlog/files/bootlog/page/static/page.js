// Copyright (c) 2026, diskless.ceph contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The pages are complete without this script. It keeps them up to date, with pieces of HTML that the server has escaped.
"use strict";

const STATES = ["failed", "late", "booting", "silent", "down", "ready"];
const POLL = 5000;
const MOST_LINES = 5000;
const live = document.getElementById("live");
const names = new Intl.Collator("en", { numeric: true });
let skew = 0; // seconds that the server's clock is ahead of this one

// As duration.py.
function duration(seconds) {
  seconds = Math.max(seconds, 0);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  for (const [unit, below, name, lesser] of [[86400, 3600, "d", "h"], [3600, 60, "h", "min"], [60, 1, "min", "s"]]) {
    if (whole < unit) continue;
    const rest = Math.floor((whole % unit) / below);
    return `${Math.floor(whole / unit)} ${name}` + (rest ? ` ${rest} ${lesser}` : "");
  }
  return "";
}

function setClock(serverSeconds) {
  skew = serverSeconds - Date.now() / 1000;
}

function showAges() {
  const now = Date.now() / 1000 + skew;
  for (const time of document.querySelectorAll("time[data-since]")) {
    const age = Math.floor(now - Number(time.dataset.since));
    const text = age < 10 ? `${Math.max(age, 0)} s` : duration(age);
    if (time.textContent !== text) time.textContent = text;
  }
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// Puts new content in the place of old without taking the keyboard's place away.
function swap(old, replace) {
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const fresh = replace();
  if (focused === null) return;
  for (const link of fresh.querySelectorAll("a")) {
    if (link.getAttribute("href") === focused) link.focus({ preventScroll: true });
  }
}

function fill(element, html) {
  swap(element, () => {
    element.replaceChildren(parsed(html));
    return element;
  });
}

// Server-sent events; where there are none, or no more viewers are taken, asks every few seconds instead.
function follow(url, event, take, poll) {
  let timer = 0;
  let source = null;
  const pollLater = () => {
    timer = setTimeout(async () => {
      try {
        await poll();
        live.textContent = "Up to date";
      } catch {
        live.textContent = "No connection, trying again";
      }
      pollLater();
    }, POLL);
  };
  if (!window.EventSource) return pollLater();
  source = new EventSource(url);
  source.addEventListener("open", () => {
    live.textContent = "Live";
  });
  source.addEventListener(event, (message) => take(JSON.parse(message.data)));
  source.addEventListener("error", () => {
    live.textContent = "No connection, trying again";
    if (source.readyState === EventSource.CLOSED && !timer) pollLater();
  });
}

function showOverview(overview) {
  const table = document.getElementById("hosts");
  if (!table) return;
  const search = document.getElementById("search");
  const wantedState = overview.dataset.state;
  const texts = new WeakMap();
  let disordered = false;
  let pointed = 0;

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, `${row.textContent} ${row.dataset.more}`.toLowerCase());
    return texts.get(row);
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let matches = 0;
    for (const row of table.rows) {
      const text = words.length ? textOf(row) : "";
      row.hidden = (wantedState && row.dataset.state !== wantedState) || !words.every((word) => text.includes(word));
      matches += !row.hidden;
    }
    document.getElementById("none").hidden = matches > 0;
  };
  const order = () => {
    // Not under a pointer that is on its way to a row.
    if (!disordered || Date.now() - pointed < 3000) return;
    disordered = false;
    const rows = [...table.rows].sort(
      (one, other) =>
        STATES.indexOf(one.dataset.state) - STATES.indexOf(other.dataset.state) || names.compare(one.dataset.name, other.dataset.name),
    );
    rows.forEach((row, place) => {
      if (table.rows[place] !== row) table.insertBefore(row, table.rows[place]);
    });
  };
  const take = (change) => {
    setClock(change.time);
    for (const [name, html] of Object.entries(change.rows)) {
      const fresh = parsed(html).firstElementChild;
      const old = document.getElementById(`host-${name}`);
      if (!old || old.dataset.state !== fresh.dataset.state) disordered = true;
      if (!old) table.append(fresh);
      else
        swap(old, () => {
          old.replaceWith(fresh);
          return fresh;
        });
    }
    for (const name of change.gone) document.getElementById(`host-${name}`)?.remove();
    fill(document.getElementById("summary"), change.summary);
    document.title = change.title;
    filter();
    order();
    showAges();
  };
  const poll = async () => {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = {};
    for (const row of page.getElementById("hosts").rows) rows[row.dataset.name] = row.outerHTML;
    const gone = [...table.rows].map((row) => row.dataset.name).filter((name) => !(name in rows));
    const time = Number(page.getElementById("overview").dataset.now);
    take({ time, rows, gone, summary: page.getElementById("summary").innerHTML, title: page.title });
  };

  table.addEventListener("pointermove", () => {
    pointed = Date.now();
  });
  search.addEventListener("input", () => {
    filter();
    const url = new URL(location.href);
    if (search.value) url.searchParams.set("search", search.value);
    else url.searchParams.delete("search");
    history.replaceState(null, "", url);
  });
  search.form.addEventListener("submit", (event) => event.preventDefault());
  setInterval(order, 1000);
  // A page that was filtered by the server lacks the other hosts.
  const since = search.value || wantedState ? 0 : overview.dataset.version;
  follow(`/rows?since=${since}&state=${encodeURIComponent(wantedState)}`, "rows", take, poll);
}

function showHost(page) {
  const name = encodeURIComponent(page.dataset.name);
  const log = document.getElementById("log");
  const lines = document.getElementById("lines");
  const head = document.getElementById("head");
  const asked = new URL(location.href).searchParams;
  let running = false;
  let again = false;

  const newLines = async () => {
    if (!log.dataset.follow) return;
    const last = lines.lastElementChild?.dataset.line;
    const answer = await fetch(log.dataset.follow + (last ? `&after=${last}` : ""));
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = parsed(await answer.text());
    if (!fresh.firstElementChild) return;
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 60;
    lines.append(fresh);
    document.getElementById("none")?.remove();
    while (lines.rows.length > MOST_LINES) lines.rows[0].remove();
    if (atEnd && window.scrollY > 0) document.getElementById("end").scrollIntoView();
  };
  const refresh = async () => {
    const boot = asked.get("boot");
    const answer = await fetch(`/hosts/${name}/head${boot ? `?boot=${encodeURIComponent(boot)}` : ""}`);
    if (!answer.ok) throw new Error(answer.statusText);
    const html = await answer.text();
    const latest = parsed(html).querySelector("[data-latest]")?.dataset.latest;
    if (!boot && latest !== page.dataset.boot) return location.reload();
    const open = head.querySelector("details")?.open;
    fill(head, html);
    if (open) head.querySelector("details")?.setAttribute("open", "");
    showAges();
    await newLines();
  };
  const changed = async () => {
    again = running;
    if (running) return;
    running = true;
    try {
      do {
        again = false;
        await refresh();
      } while (again);
    } catch {
      live.textContent = "No connection, trying again";
    }
    running = false;
  };
  const take = (change) => {
    setClock(change.time);
    const state = change.hosts[0]?.state;
    if (state && state !== page.dataset.state) {
      page.dataset.state = state;
      document.getElementById("announce").textContent = `${page.dataset.name} is ${state}`;
      document.title = `${page.dataset.name}: ${state} · Boot log`;
    }
    changed();
  };
  follow(`/api/events?host=${name}&since=${page.dataset.version}`, "hosts", take, refresh);
}

const overview = document.getElementById("overview");
const host = document.getElementById("host");
setClock(Number((overview ?? host)?.dataset.now ?? Date.now() / 1000));
setInterval(showAges, 1000);
if (overview) showOverview(overview);
if (host) showHost(host);

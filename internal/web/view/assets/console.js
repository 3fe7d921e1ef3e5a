// What makes the pages handier; each of them works without. Text from the server is put in as text
// only: nothing here makes markup of a string.
"use strict";

// Keys: j and k go through the rows of the list, Enter opens one, / goes to the search box, Escape
// leaves it, or goes up from a page that says where.
function keys() {
  const rows = () => [...document.querySelectorAll("[data-rows] > tr")];
  const here = () => document.querySelector("[data-rows] > tr.here");
  function go(step) {
    const list = rows();
    if (!list.length) return;
    const now = list.indexOf(here());
    const next = list[Math.max(0, Math.min(list.length - 1, now < 0 ? 0 : now + step))];
    if (now >= 0) list[now].classList.remove("here");
    next.classList.add("here");
    const link = next.querySelector("a");
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (typing) return typing.blur();
      const open = event.target.closest("details[open]");
      if (open) {
        open.open = false;
        return open.querySelector("summary").focus();
      }
      const up = document.querySelector("a[data-up]");
      if (up) up.click();
      return;
    }
    if (typing) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      go(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === document.body && here()) {
      const link = here().querySelector("a");
      if (link) link.click();
    } else if (event.key === "/") {
      const box = document.getElementById("seek");
      if (!box) return;
      event.preventDefault();
      box.select();
      box.focus();
    }
  });
}

// Each time also says what it is here.
function times(root) {
  for (const t of root.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (!isNaN(at)) t.title = at.toLocaleString() + " here";
  }
}

// Commands can be copied.
function copies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent.trim()).then(
        () => { button.textContent = "Copied"; },
        () => { button.textContent = "Not copied"; });
    });
  }
}

// An empty field of a filter is left out of the URL, so that what is sent on is short.
function filters() {
  for (const form of document.querySelectorAll("form[data-short]")) {
    form.addEventListener("submit", () => {
      for (const field of form.elements) {
        if (field.name && field.value === "") field.disabled = true;
      }
    });
  }
  window.addEventListener("pageshow", () => { // back again from where it led
    for (const field of document.querySelectorAll("form[data-short] :disabled")) field.disabled = false;
  });
}

// The live tail: rows come as JSON, one field a cell; the page has a template of a row.
function tail() {
  const list = document.querySelector("[data-live]");
  const template = document.getElementById("row");
  const says = document.getElementById("live-says");
  const button = document.getElementById("live-button");
  if (!list || !template || !says || !button || !window.EventSource) return;
  const most = 200;
  let source = null, count = 0, last = "", said = 0, timer = 0;

  function say(text) { // at most every five seconds: it is read out
    clearTimeout(timer);
    timer = setTimeout(() => { said = Date.now(); says.textContent = text; }, Math.max(0, said + 5000 - Date.now()));
  }
  function word(text) { return /^[a-z_]{1,20}$/.test(text) ? text : "plain"; }
  function put(row) {
    const known = row.key && [...list.children].find((r) => r.dataset.key === row.key);
    const made = template.content.firstElementChild.cloneNode(true);
    made.dataset.key = row.key;
    for (const cell of made.querySelectorAll("[data-f]")) {
      const value = row[cell.dataset.f];
      cell.textContent = value === undefined ? "" : String(value);
      if (cell.dataset.f === "word") cell.className = "badge " + word(row.tone);
      if (cell.tagName === "TIME") cell.dateTime = row.at;
      if (cell.tagName === "A") cell.href = "/" + String(row.href).replace(/^\/+/, "");
    }
    times(made);
    if (known) return known.replaceWith(made); // the sum of a fold
    made.classList.add("new");
    list.prepend(made);
    while (list.children.length > most) list.lastElementChild.remove();
    const empty = document.getElementById("nothing");
    if (empty) empty.remove();
    count++;
    say(count + (count === 1 ? " new row" : " new rows"));
  }
  function start() {
    source = new EventSource(list.dataset.live);
    source.addEventListener("row", (event) => {
      if (event.data === last) return;
      last = event.data;
      put(JSON.parse(event.data));
    });
    source.addEventListener("missed", () => say("Too many rows at once: some are not shown. Reload for all."));
    source.addEventListener("open", () => say("Live: new rows appear on top"));
    source.addEventListener("error", () => {
      say("Not live: the connection has ended" + (source.readyState === 2 ? "" : "; trying again"));
      if (source.readyState === 2) stop();
    });
    button.textContent = "Pause";
    button.setAttribute("aria-pressed", "false");
  }
  function stop() {
    if (source) source.close();
    source = null;
    button.textContent = "Go live";
    button.setAttribute("aria-pressed", "true");
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    if (source) {
      stop();
      say("Paused");
    } else {
      start();
    }
  });
  window.addEventListener("pagehide", stop);
  start();
}

keys();
times(document);
copies();
filters();
tail();

// Keeps the page current without loading it again. The page is whole without it.
"use strict";

// Parts that change carry `data-live` and an id; what the server last sent for
// each is kept, because relative times change here in between.
const sent = new Map();
for (const part of document.querySelectorAll("[data-live]")) {
  sent.set(part.id, part.innerHTML);
}

let refreshing = false;
let stale = false;

async function refresh() {
  if (refreshing) {
    stale = true;
    return;
  }
  refreshing = true;
  try {
    const answer = await fetch(location.href);
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = fresh.getElementById(part.id);
        if (next && next.innerHTML !== sent.get(part.id)) {
          sent.set(part.id, next.innerHTML);
          replace(part, next);
        }
      }
    }
  } catch {
    // The stream tells when the exporter is back.
  }
  refreshing = false;
  if (stale) {
    stale = false;
    refresh();
  }
}

// What was open stays open, and the focus stays on the same link.
function replace(part, next) {
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  const focused = part.contains(document.activeElement)
    ? document.activeElement.getAttribute("href")
    : null;
  part.replaceChildren(...next.childNodes);
  [...part.querySelectorAll("details")].forEach((details, index) => {
    details.open = open[index] ?? details.open;
  });
  if (focused !== null) {
    [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }
  tellTimes();
}

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

function ago(seconds) {
  for (const [size, unit] of UNITS) {
    if (seconds >= size) {
      return `${Math.floor(seconds / size)} ${unit} ago`;
    }
  }
  return "just now";
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const text = ago(seconds);
    if (time.textContent !== text) {
      time.textContent = text;
    }
  }
}

const live = document.getElementById("live");
const body = document.body;

function show(state, text) {
  live.dataset.state = state;
  live.textContent = text;
}

// From the number that the page was made at: nothing between is missed.
const stream = new EventSource(`/api/v1/changes?cursor=${body.dataset.seq}`);
stream.addEventListener("open", () => show("on", "Live"));
stream.addEventListener("change", refresh);
stream.addEventListener("error", () => show("off", "Connection lost, trying again"));
setInterval(tellTimes, 15000);

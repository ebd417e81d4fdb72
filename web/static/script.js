// This script adds to the console: times in the zone of the reader, copying, filtering a list, ticking a whole list, and
// following a delivery. Every page works without it.
"use strict";

const shown = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

// localTimes shows times in the reader's zone. The title keeps the time in UTC.
function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.textContent = shown.format(at);
  }
}

// Fields for times are in UTC on the server and in the reader's zone here. A field that was not changed is sent with its
// original value, because in the night when clocks go back two moments look the same.
const originals = new Map(); // from a field to its original value and the value that is shown
const pad = (number) => String(number).padStart(2, "0");
const utcField = (at) => at.toISOString().slice(0, 19);
const localField = (at) => `${String(at.getFullYear()).padStart(4, "0")}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

function localFields() {
  for (const field of document.querySelectorAll('input[type="datetime-local"]')) {
    const exact = field.value;
    const at = new Date(exact + "Z");
    if (exact && !isNaN(at)) {
      field.value = localField(at);
      if (!field.value) field.value = exact; // a time before the year 1, which no field can show
      field.defaultValue = field.value;
      originals.set(field, { exact, shown: field.value });
    }
    const label = document.querySelector(`label[for="${field.id}"]`);
    label.textContent = label.textContent.replace("(UTC)", "(your time)");
  }
  document.addEventListener("formdata", (event) => {
    for (const field of event.target.querySelectorAll('input[type="datetime-local"]')) {
      const original = originals.get(field);
      const at = new Date(field.value);
      if (original?.shown === field.value) event.formData.set(field.name, original.exact);
      else if (field.value && !isNaN(at)) event.formData.set(field.name, utcField(at));
    }
  });
}

// say makes screen readers speak the text.
function say(text) {
  document.getElementById("live").textContent = text;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    say("Copied");
  } catch { // not allowed, or not a secure page: select the text, so that Ctrl+C copies it
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

// A form is sent once, however often its button is pressed. A page that the browser restores from its cache can send
// its form again.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  setTimeout(() => { delete event.target.dataset.sent; }, 10_000); // no answer came, so the form may be sent again
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// A link that looks and reads like a button can also be pressed with the space bar.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.('a[role="button"]')) {
    event.preventDefault();
    event.target.click();
  }
});

document.addEventListener("input", (event) => {
  const { narrows, ticks } = event.target.dataset;
  if (narrows) narrow(document.getElementById(narrows), event.target.value);
  if (ticks) {
    for (const box of event.target.form.elements[ticks]?.forEach ? event.target.form.elements[ticks] : [event.target.form.elements[ticks]]) {
      box.checked = event.target.checked;
    }
  }
});

// narrow hides the entries of a list that do not contain the text. Ticked entries stay visible.
function narrow(list, text) {
  text = text.trim().toLocaleLowerCase();
  for (const entry of list.children) {
    const found = entry.textContent.toLocaleLowerCase().includes(text);
    entry.hidden = !found && !entry.querySelector(":checked");
  }
}

const followEvery = 2_000;
const followFor = 600_000;

// follow reloads the main part of the page every two seconds, for at most ten minutes. It stops when the page has no
// data-follow, with which the server says that more will happen soon. Open parts stay open, and the focus stays where it was.
async function follow(since) {
  await new Promise((done) => setTimeout(done, followEvery));
  if (!document.querySelector("[data-follow]") || Date.now() - since > followFor) return;
  if (!document.hidden) {
    const answer = await fetch(location.href, { headers: { "X-Follow": "1" } }).catch(() => null);
    if (answer?.redirected || (answer && answer.status < 500 && !answer.ok)) return;
    if (answer?.ok) replaceMain(await answer.text());
  }
  follow(since);
}

// finder returns a function that finds the counterpart of an element after main was replaced: the element with the same id,
// or the element with the same text and link, or main. finder returns null if the element is not within main.
function finder(main, element) {
  if (!element || element === main || !main.contains(element)) return null;
  const alike = () => [...main.querySelectorAll(element.tagName)].filter((e) => e.textContent === element.textContent && e.href === element.href);
  const which = alike().indexOf(element);
  return () => (element.id && document.getElementById(element.id)) || alike()[which] || main;
}

let lastMain = document.querySelector("main")?.innerHTML;

function replaceMain(text) {
  const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  if (!next || next.innerHTML === lastMain) return;
  lastMain = next.innerHTML;
  localTimes(next);
  const main = document.querySelector("main");
  const refocus = finder(main, document.activeElement);
  for (const part of main.querySelectorAll("details[id]")) {
    next.querySelector(`#${part.id}`)?.toggleAttribute("open", part.open);
  }
  const before = document.getElementById("sentence")?.textContent;
  main.replaceChildren(...next.childNodes);
  refocus?.()?.focus({ preventScroll: true });
  const now = document.getElementById("sentence")?.textContent;
  if (now && now !== before) say(now);
}

// The message about what was done is shown once, not again when the page is reloaded.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  address.searchParams.delete("warned");
  history.replaceState(history.state, "", address);
}

localTimes(document);
localFields();
if (document.querySelector("[data-follow]")) follow(Date.now());

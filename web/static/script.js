// What the console does for readers whose browser runs scripts: times in their zone, copying, narrowing a list,
// ticking a whole list, and following a delivery. Every page works without it.
"use strict";

const shown = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

// localTimes writes times in the reader's zone; the title keeps the time in UTC.
function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.textContent = shown.format(at);
  }
}

// The fields for times are in UTC for the server, and in the reader's zone here. What was not changed goes back as it
// came: in the night when clocks go back, two moments look the same.
const cameAs = new Map(); // from a field to the value that it came with, and what is shown for it
const pad = (number) => String(number).padStart(2, "0");
const utcField = (at) => at.toISOString().slice(0, 19);
const localField = (at) => `${String(at.getFullYear()).padStart(4, "0")}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

function localFields() {
  for (const field of document.querySelectorAll('input[type="datetime-local"]')) {
    const exact = field.value;
    const at = new Date(exact + "Z");
    if (exact && !isNaN(at)) {
      field.value = localField(at);
      if (!field.value) field.value = exact; // before the year 1, which no field can show
      field.defaultValue = field.value;
      cameAs.set(field, { exact, shown: field.value });
    }
    const label = document.querySelector(`label[for="${field.id}"]`);
    label.textContent = label.textContent.replace("(UTC)", "(your time)");
  }
  document.addEventListener("formdata", (event) => {
    for (const field of event.target.querySelectorAll('input[type="datetime-local"]')) {
      const came = cameAs.get(field);
      const at = new Date(field.value);
      if (came?.shown === field.value) event.formData.set(field.name, came.exact);
      else if (field.value && !isNaN(at)) event.formData.set(field.name, utcField(at));
    }
  });
}

// say tells a screen reader.
function say(text) {
  document.getElementById("live").textContent = text;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    say("Copied");
  } catch { // not allowed, or no secure page: mark it, so that a key press copies
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

// A form is sent once, however often its button is pressed; a page that comes back from the browser's memory can send
// again.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  setTimeout(() => { delete event.target.dataset.sent; }, 10_000); // nothing came back: it may be tried again
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// A link that looks and reads like a button is pressed with the space bar, too.
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

// narrow hides the entries of a list that do not contain the text. What is ticked stays in sight.
function narrow(list, text) {
  text = text.trim().toLocaleLowerCase();
  for (const entry of list.children) {
    const found = entry.textContent.toLocaleLowerCase().includes(text);
    entry.hidden = !found && !entry.querySelector(":checked");
  }
}

const followEvery = 2_000;
const followFor = 600_000;

// follow puts the main part of the page in place again while it says that something is about to happen, which the
// server knows, and at most for ten minutes. What is open stays open, and the focus where it was.
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

// finder finds what stands for an element of main once that has been replaced: the one with its id, else the one that
// reads and leads like it, else main. Null when it is not within main.
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

// What was done is said once, not at every reload.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  address.searchParams.delete("warned");
  history.replaceState(history.state, "", address);
}

localTimes(document);
localFields();
if (document.querySelector("[data-follow]")) follow(Date.now());

// Trouble to simulate: what the real platform does on a bad day.

import { byId, h } from "./dom.js";
import { t } from "./i18n.js";
import { show } from "./modal.js";

const GROUPS = {
  faultsCalls: ["http500", "http429", "dropBefore", "acceptThenDrop", "latencyMs", "hiddenHistory"],
  faultsWebhooks: ["duplicateWebhooks", "shuffleWebhooks", "unsignedWebhooks"],
  faultsNumber: ["numberBlocked", "disconnected", "keyRevoked", "subscription"],
  faultsContact: ["readReceipts"],
};
const NAMES = Object.values(GROUPS).flat();
const CHANCES = new Set(["http500", "http429", "dropBefore", "acceptThenDrop"]);
const SLOWEST_MS = 60_000;
const MANY = 1_000_000; // the most that the sandbox counts

/** What each fault is when nothing goes wrong. */
const calmOf = (name) => ({ latencyMs: 0, subscription: true })[name] ?? false;

/** What switches all trouble off. Read receipts are a contact's choice, and stay. */
export function calm(faults) {
  return Object.fromEntries(troubling(faults).map((name) => [name, calmOf(name)]));
}

/** What is going wrong now, each in a few words. */
export const troubles = (faults) => troubling(faults).map((name) => inWords(name, faults[name]));

function troubling(faults) {
  return NAMES.filter((name) => {
    if (name === "readReceipts" || !(name in faults)) return false;
    return name === "subscription" ? faults[name] === false : Boolean(faults[name]);
  });
}

function inWords(name, value) {
  const what = t(name === "subscription" ? "f_noSubscription" : `f_${name}`);
  if (name === "latencyMs") return `${what} (${value} ms)`;
  if (nextOf(value)) return `${what} (${t("faultNextOf", { count: nextOf(value) })})`;
  return typeof value === "number" ? `${what} (${percentOf(value)} %)` : what;
}

const nextOf = (value) => value?.next ?? 0;
const percentOf = (value) => (nextOf(value) ? 0 : Math.round(Number(value) * 100) || 0);

let rows = []; // of the dialog: {name, update(value)}

/** Bring the dialog in line with the faults, which others may change too. */
export function drawFaults(faults) {
  if (!byId("dialog").open) rows = [];
  for (const { name, update } of rows) update(faults[name]);
}

/**
 * Show the faults.
 * @param {object} state
 * @param {{changeFaults: (faults) => void, clearFaults: () => void, reset: () => void}} acts
 */
export function faultsDialog(state, acts) {
  rows = NAMES.filter((name) => name in state.faults).map((name) => rowOf(name, acts.changeFaults));
  const groups = Object.entries(GROUPS).map(([title, names]) => {
    const mine = rows.filter((row) => names.includes(row.name));
    return (
      mine.length > 0 &&
      h(
        "fieldset",
        {},
        h("legend", {}, t(title)),
        mine.map((row) => row.element),
      )
    );
  });
  const sure = () => {
    if (!window.confirm(t("resetSure"))) return;
    byId("dialog").close();
    acts.reset();
  };
  const button = (testid, text, act, danger) =>
    h(
      "button",
      { type: "button", class: `pill${danger ? " danger" : ""}`, data: { testid }, on: { click: act } },
      text,
    );
  show(
    t("faults"),
    h("p", { class: "hint" }, t("faultsText")),
    h("div", { class: "faults" }, groups),
    h(
      "div",
      { class: "form-end" },
      button("reset", t("reset"), sure, true),
      button("faults-clear", t("faultsClear"), acts.clearFaults),
    ),
  );
  drawFaults(state.faults);
}

function rowOf(name, change) {
  if (CHANCES.has(name)) return chance(name, change);
  return name === "latencyMs" ? latency(name, change) : toggle(name, change);
}

const words = (name) => [
  h("span", { class: "fault-name", id: `fault-${name}` }, t(`f_${name}`)),
  h("span", { class: "fault-text", id: `fault-${name}-text` }, t(`d_${name}`)),
];

/** Set a field, but not under the hand of who is changing it. */
function put(input, value) {
  if (input !== document.activeElement) input.value = value;
}

function toggle(name, change) {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-labelledby": `fault-${name}`,
    "aria-describedby": `fault-${name}-text`,
    data: { fault: name },
    on: { change: () => change({ [name]: input.checked }) },
  });
  const element = h(
    "label",
    { class: "fault switch" },
    h("span", { class: "fault-words" }, words(name)),
    input,
    h("span", { class: "track" }),
  );
  return { name, element, update: (value) => (input.checked = Boolean(value)) };
}

function chance(name, change) {
  const shown = h("output", { for: `fault-${name}-share` });
  const say = () => (shown.textContent = `${share.value} %`);
  const share = h("input", {
    type: "range",
    id: `fault-${name}-share`,
    min: 0,
    max: 100,
    step: 5,
    "aria-labelledby": `fault-${name}`,
    "aria-describedby": `fault-${name}-text`,
    data: { fault: name },
    on: { input: say, change: () => change({ [name]: Number(share.value) / 100 }) },
  });
  const next = h("input", {
    type: "number",
    min: 0,
    max: MANY,
    step: 1,
    "aria-label": `${t(`f_${name}`)}: ${t("faultNextSends")}`,
    data: { fault: `${name}-next` },
    on: { change: () => change({ [name]: whole(next, MANY) ? { next: whole(next, MANY) } : false }) },
  });
  const element = h(
    "div",
    { class: "fault" },
    h("span", { class: "fault-words" }, words(name)),
    h("div", { class: "fault-share" }, share, shown),
    h("label", { class: "fault-next" }, h("span", { "aria-hidden": "true" }, t("faultNext")), next),
  );
  const update = (value) => {
    put(share, percentOf(value));
    put(next, nextOf(value));
    say();
  };
  return { name, element, update };
}

function latency(name, change) {
  const input = h("input", {
    type: "number",
    min: 0,
    max: SLOWEST_MS,
    step: 100,
    "aria-labelledby": `fault-${name}`,
    "aria-describedby": `fault-${name}-text`,
    data: { fault: name },
    on: { change: () => change({ latencyMs: whole(input, SLOWEST_MS) }) },
  });
  const element = h(
    "label",
    { class: "fault" },
    h("span", { class: "fault-words" }, words(name)),
    h("span", { class: "fault-next" }, input),
  );
  return { name, element, update: (value) => put(input, Number(value) || 0) };
}

/** The whole number in a field, from 0 to `most`; the field then shows it. */
function whole(input, most) {
  const value = Math.min(most, Math.max(0, Math.round(input.valueAsNumber || 0)));
  input.value = value;
  return value;
}

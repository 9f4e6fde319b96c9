// The three dialogs: a new contact, a photo or file, trouble to simulate. <dialog> itself keeps the focus inside.

import { byId, fill, h, icon } from "./dom.js";
import { phoneText } from "./format.js";
import { numberName, t } from "./i18n.js";

const PHONE = /^\+[1-9]\d{7,14}$/;
const GROUP = /^\d[\d-]*@g\.us$/;
const LINK = /^https?:\/\/\S+$/i;

const SWITCHES = [
  "readReceipts",
  "duplicateWebhooks",
  "shuffleWebhooks",
  "unsignedWebhooks",
  "numberBlocked",
  "disconnected",
  "subscription",
];
const CHANCES = ["http500", "http429", "acceptThenDrop", "dropBefore"];

function show(title, ...content) {
  const dialog = byId("dialog");
  const close = h(
    "button",
    {
      type: "button",
      class: "tool",
      "aria-label": t("close"),
      title: t("close"),
      on: { click: () => dialog.close() },
    },
    icon("close"),
  );
  fill(dialog, h("div", { class: "pane-head" }, h("h2", { id: "dialog-title" }, title), close), content);
  if (!dialog.open) dialog.showModal();
}

function field(label, input, problem) {
  return h(
    "label",
    { class: "field" },
    h("span", {}, label),
    input,
    problem && h("span", { class: "problem", id: `${input.id}-problem`, role: "alert", hidden: true }, problem),
  );
}

/** Whether the input holds what the pattern asks for; if not, says so beside it. */
function right(input, pattern, mayBeEmpty = false) {
  input.value = input.value.trim();
  const fine = (mayBeEmpty && !input.value) || pattern.test(input.value);
  input.setAttribute("aria-invalid", String(!fine));
  input.setAttribute("aria-describedby", `${input.id}-problem`);
  byId(`${input.id}-problem`).hidden = fine;
  if (!fine) input.focus();
  return fine;
}

function form(submit, ...content) {
  const buttons = (label) =>
    h(
      "div",
      { class: "form-end" },
      h("button", { type: "button", class: "pill", on: { click: () => byId("dialog").close() } }, t("cancel")),
      h("button", { class: "primary", data: { testid: "dialog-submit" } }, label),
    );
  const done = (event) => {
    event.preventDefault();
    if (submit()) byId("dialog").close();
  };
  return h("form", { novalidate: true, on: { submit: done } }, content.slice(0, -1), buttons(content.at(-1)));
}

/** Ask for a new contact; `add({number, phone, name, group})` is given the answer. */
export function newContactDialog(state, add) {
  const name = h("input", {
    id: "new-name",
    autocomplete: "off",
    maxlength: 60,
    value: "Bruno",
    data: { testid: "new-name" },
  });
  const phone = h("input", {
    id: "new-phone",
    type: "tel",
    autocomplete: "off",
    value: "+5511987650002",
    data: { testid: "new-phone" },
  });
  const group = h("input", {
    id: "new-group",
    autocomplete: "off",
    placeholder: "120363000000000001@g.us",
    data: { testid: "new-group" },
  });
  const number = h(
    "select",
    { id: "new-number", data: { testid: "new-number" } },
    state.numbers.map((each) => h("option", { value: each.id }, `${numberName(each)} ${phoneText(each.phone)}`)),
  );
  const refused = h("p", { class: "hint warning", role: "status" });
  let chosen = null; // by hand: from then on the group id does not change the number
  const takesGroups = (id) => state.numbers.find((each) => each.id === id)?.groups !== false;
  const judge = () => {
    const fitting = group.value.trim() ? state.numbers.find((each) => each.groups !== false) : state.numbers[0];
    number.value = chosen ?? (fitting ?? state.numbers[0])?.id;
    refused.textContent = group.value.trim() && !takesGroups(number.value) ? t("groupRefused") : "";
  };
  group.addEventListener("input", judge);
  number.addEventListener("change", () => {
    chosen = number.value;
    judge();
  });
  const submit = () => {
    phone.value = phone.value.replace(/[\s().-]/g, "");
    if (!right(phone, PHONE) || !right(group, GROUP, true)) return false;
    add({ number: number.value, phone: phone.value, name: name.value.trim() || phone.value, group: group.value });
    return true;
  };
  show(
    t("newContact"),
    form(
      submit,
      field(t("name"), name),
      field(t("phone"), phone, t("phoneWrong")),
      field(t("writesTo"), number),
      field(t("newGroup"), group, t("groupWrong")),
      refused,
      t("start"),
    ),
  );
  name.select();
}

/** Ask for a medium; `send({media, mediaType, caption?})` is given the answer. */
export function attachDialog(send) {
  const sample = `${location.origin}/phone/sample.svg`;
  const kind = h(
    "select",
    { id: "attach-kind" },
    ["image", "video", "audio", "document"].map((each) =>
      h("option", { value: each }, t(each === "image" ? "photo" : each)),
    ),
  );
  const link = h("input", {
    id: "attach-link",
    type: "url",
    value: sample,
    autocomplete: "off",
    data: { testid: "attach-link" },
  });
  const caption = h("input", { id: "attach-caption", autocomplete: "off", maxlength: 1024 });
  const submit = () => {
    if (!right(link, LINK)) return false;
    send({
      media: link.value,
      mediaType: kind.value,
      ...(caption.value.trim() ? { caption: caption.value.trim() } : {}),
    });
    return true;
  };
  show(
    t("attach"),
    form(
      submit,
      field(t("attachKind"), kind),
      field(t("attachLink"), link, t("linkWrong")),
      h("p", { class: "hint" }, t("attachHint")),
      field(t("attachCaption"), caption),
      t("send"),
    ),
  );
}

/** Show the faults; `change(faults)` is called with what was changed, `reset()` after the person agreed. */
export function faultsDialog(state, change, reset) {
  const rows = [
    ...CHANCES.filter((name) => name in state.faults).map((name) => chance(name, state.faults[name], change)),
    "latencyMs" in state.faults && latency(state.faults.latencyMs, change),
    ...SWITCHES.filter((name) => name in state.faults).map((name) => toggle(name, state.faults[name], change)),
  ];
  const sure = () => {
    if (!window.confirm(t("resetSure"))) return;
    byId("dialog").close();
    reset();
  };
  show(
    t("faults"),
    h("p", { class: "hint" }, t("faultsText")),
    h("div", { class: "faults" }, rows),
    h(
      "div",
      { class: "form-end" },
      h(
        "button",
        { type: "button", class: "pill danger", data: { testid: "reset" }, on: { click: sure } },
        t("reset"),
      ),
    ),
  );
}

function toggle(name, value, change) {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    checked: Boolean(value),
    data: { fault: name },
    on: { change: () => change({ [name]: input.checked }) },
  });
  return h("label", { class: "switch" }, h("span", {}, t(`f_${name}`)), input, h("span", { class: "track" }));
}

function chance(name, value, change) {
  const percent = Math.round(Number(value) * 100) || 0; // a count of next times is none
  const shown = h("output", {}, `${percent} %`);
  const input = h("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 5,
    value: percent,
    data: { fault: name },
    on: { input: () => (shown.textContent = `${input.value} %`), change: () => change({ [name]: input.value / 100 }) },
  });
  return h("label", { class: "chance" }, h("span", {}, t(`f_${name}`)), input, shown);
}

function latency(value, change) {
  const input = h("input", {
    type: "number",
    min: 0,
    max: 30000,
    step: 100,
    value: Number(value) || 0,
    data: { fault: "latencyMs" },
    on: { change: () => change({ latencyMs: Math.min(30000, Math.max(0, Math.round(input.valueAsNumber || 0))) }) },
  });
  return h("label", { class: "chance" }, h("span", {}, t("f_latencyMs")), input);
}

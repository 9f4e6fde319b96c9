// What all dialogs share: one <dialog> with a title and a way out, forms, fields that say what is wrong with them.

import { byId, fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** Show the dialog, with a title and what it holds. */
export function show(title, ...content) {
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

/** An input with its label, and the text that says what is wrong while it is. */
export function field(label, input, problem) {
  return h(
    "label",
    { class: "field" },
    h("span", {}, label),
    input,
    problem && h("span", { class: "problem", id: `${input.id}-problem`, role: "alert", hidden: true }, problem),
  );
}

/** Whether the input holds what the pattern asks for; if not, says so beside it. */
export function right(input, pattern, mayBeEmpty = false) {
  input.value = input.value.trim();
  const fine = (mayBeEmpty && !input.value) || pattern.test(input.value);
  input.setAttribute("aria-invalid", String(!fine));
  input.setAttribute("aria-describedby", `${input.id}-problem`);
  byId(`${input.id}-problem`).hidden = fine;
  if (!fine) input.focus();
  return fine;
}

/** A form with a way out; `submit()` returns whether it is done. The last of `content` is what the button says. */
export function form(submit, ...content) {
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

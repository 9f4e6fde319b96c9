// What can be tapped under a message: buttons, links, the button that opens a list.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { optionsOf } from "./state.js";

const SIGNS = { reply: "reply", url: "link", call: "call", copy: "copy" };

/** The options under a message, or null where there are none. `tapped` holds the labels that were tapped. */
export function optionsUnder(row, tapped, acts) {
  if (row.flow) return flowButton(row, acts);
  const options = optionsOf(row);
  if (!options.length || row.cards) return null; // the buttons of a carousel are on its cards
  const isList = row.mode === "list";
  return h(
    "div",
    { class: `options${options.length > 3 && !isList ? " rows" : ""}`, role: "group", "aria-label": t("options") },
    isList ? listButton(row, acts) : options.map((option) => optionButton(row, option, tapped, acts)),
  );
}

function listButton(row, acts) {
  const label = row.list?.buttonText || t("options");
  return h(
    "button",
    {
      type: "button",
      class: "option",
      "aria-label": t("listOpen", { label }),
      "aria-haspopup": "dialog",
      data: { testid: "open-list" },
      on: { click: () => acts.openList(row) },
    },
    icon("list"),
    h("span", { class: "option-label" }, label),
  );
}

function flowButton(row, acts) {
  const inside = (sign, label) => [icon(sign), h("span", { class: "option-label" }, label)];
  const done = () => h("p", { class: "option done", data: { testid: "flow-done" } }, inside("sent", t("flowDone")));
  const open = () =>
    h(
      "button",
      {
        type: "button",
        class: "option",
        "aria-haspopup": "dialog",
        data: { testid: "open-flow" },
        on: { click: () => acts.openFlow(row) },
      },
      inside("template", row.flow.cta || t("flowOpen")),
    );
  return h("div", { class: "options", role: "group", "aria-label": t("options") }, row.flow.response ? done() : open());
}

/** One option as a button, or as the link that it is. */
export function optionButton(row, option, tapped, acts) {
  const done = tapped.has(option.label);
  const props = {
    class: `option ${option.kind}${done ? " tapped" : ""}`,
    data: { testid: "option", kind: option.kind },
  };
  const content = [
    icon(SIGNS[option.kind]),
    h(
      "span",
      { class: "option-text" },
      h("span", { class: "option-label" }, option.label),
      option.detail && h("span", { class: "option-detail" }, option.detail),
    ),
    done && h("span", { class: "option-tapped" }, icon("sent"), h("span", { class: "spoken" }, t("tapped"))),
  ];
  if (option.kind === "url" && /^https?:\/\//i.test(option.value)) {
    return h("a", { ...props, href: option.value, target: "_blank", rel: "noopener noreferrer" }, content);
  }
  const known = { reply: () => acts.tap(row, option.label), call: () => acts.dial(option) };
  const act = known[option.kind] ?? (() => acts.copy(option.value));
  return h(
    "button",
    { ...props, type: "button", title: option.kind === "reply" ? false : option.value, on: { click: act } },
    content,
  );
}

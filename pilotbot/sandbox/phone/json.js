// JSON for people: indented, coloured, copied at a press. Text nodes only.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

// Keys, texts and values apart by colour: the pieces are cut from our own JSON.stringify.
const PIECE = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONGEST = 100_000; // characters that are coloured; what is longer (a photo as base64) stays plain

/** A value as indented JSON, in colour. */
export function jsonBlock(value, label) {
  const json = JSON.stringify(value, null, 2) ?? "";
  return h("pre", { class: "json", tabindex: "0", role: "region", "aria-label": label }, coloured(json));
}

/** The nodes of a JSON text. */
export function coloured(json) {
  if (json.length > LONGEST) return [json];
  const nodes = [];
  let from = 0;
  for (const match of json.matchAll(PIECE)) {
    nodes.push(json.slice(from, match.index));
    const kind = match[1] ? (match[2] ? "json-key" : "json-text") : "json-value";
    nodes.push(h("span", { class: kind }, match[1] ?? match[0]), match[2] ?? "");
    from = match.index + match[0].length;
  }
  return [...nodes, json.slice(from)];
}

/** A button that copies a text; `what` says which. */
export function copyButton(text, what, acts) {
  const label = t("copyThis", { what });
  return h(
    "button",
    {
      type: "button",
      class: "tool copy",
      "aria-label": label,
      title: label,
      data: { testid: "copy" },
      on: { click: () => acts.copy(text) },
    },
    icon("copy"),
  );
}

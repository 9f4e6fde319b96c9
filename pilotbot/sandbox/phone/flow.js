// A stub of a WhatsApp Flow: what its screen was given, to be filled in and sent back. The real screens are Meta's.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { field, form, show } from "./modal.js";

const MAX_FIELDS = 30;

/** What was typed, as the kind of value that the flow gave: a number, yes or no, anything else as JSON, or a text. */
function typed(text, given) {
  if (typeof given === "string" || given === undefined) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Show the form of a flow; `answer(response)` is called with what is sent back. */
export function flowDialog({ flow }, answer) {
  const given = { ...flow.data };
  if (!Object.keys(given).length) given.answer = "";
  const inputs = new Map(); // name -> its input
  const fields = h("div", { class: "flow-fields" });
  function add(name, value) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const input = h("input", { id: `flow-${inputs.size}`, value: text, autocomplete: "off", data: { testid: "flow-field" } });
    inputs.set(name, input);
    fields.append(field(name, input));
  }
  for (const [name, value] of Object.entries(given).slice(0, MAX_FIELDS)) add(name, value);

  const name = h("input", { id: "flow-name", autocomplete: "off", maxlength: 60, data: { testid: "flow-name" } });
  const more = h(
    "button",
    { type: "button", class: "tool", "aria-label": t("flowAdd"), title: t("flowAdd"), data: { testid: "flow-add" } },
    icon("plus"),
  );
  more.addEventListener("click", () => {
    const wanted = name.value.trim();
    if (!wanted || inputs.has(wanted) || inputs.size >= MAX_FIELDS) return name.focus();
    add(wanted, "");
    name.value = "";
    inputs.get(wanted).focus();
  });
  const submit = () => {
    answer(Object.fromEntries([...inputs].map(([key, input]) => [key, typed(input.value, given[key])])));
    return true;
  };
  show(
    flow.cta || t("flowOpen"),
    form(
      submit,
      h("p", { class: "hint" }, t("flowNote", { id: flow.flowId, screen: flow.screen || "-" })),
      fields,
      h("div", { class: "flow-more" }, field(t("flowField"), name), more),
      t("send"),
    ),
  );
  inputs.values().next().value.focus();
}

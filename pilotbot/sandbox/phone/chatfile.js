// The open chat as a .chat file, which `pilotbot test` plays again.

import { byId, h } from "./dom.js";
import { t } from "./i18n.js";
import { field, form, right, show } from "./modal.js";

const NAME = /^\w[\w.-]*$/;

/**
 * Show the file, to be copied or downloaded.
 * @param {string} text
 * @param {{copy: (text) => void}} acts
 */
export function chatFileDialog(text, acts) {
  const file = h("input", {
    id: "chatfile-name",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 80,
    value: "conversation", // not the contact's name: that is what the file masks
    data: { testid: "chatfile-name" },
  });
  const submit = () => {
    file.value = file.value.trim().replace(/\.chat$/i, "");
    if (!right(file, NAME)) return false;
    download(`${file.value}.chat`, text);
    return true;
  };
  const copy = h(
    "button",
    { type: "button", class: "pill copy-all", data: { testid: "chatfile-copy" }, on: { click: () => acts.copy(text) } },
    t("saveTestCopy"),
  );
  show(
    t("saveTest"),
    form(
      submit,
      h("p", { class: "hint" }, t("saveTestText")),
      h(
        "pre",
        {
          class: "json chatfile",
          tabindex: "0",
          role: "region",
          "aria-label": t("saveTestWhat"),
          data: { testid: "chatfile" },
        },
        text,
      ),
      copy,
      field(t("saveTestName"), file, t("saveTestWrong")),
      t("saveTestGo"),
    ),
  );
  byId("dialog").querySelector(".chatfile").focus();
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it in its own time
}

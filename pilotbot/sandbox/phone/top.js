// The bar on top: connection, clock, read receipts, trouble, language.

import { byId, fill, h, icon } from "./dom.js";
import { drawFaults, faultsDialog, troubles } from "./faults.js";
import { ahead, clockDate, clockTime } from "./format.js";
import { t } from "./i18n.js";
import { field, form, right, show } from "./modal.js";
import { now } from "./state.js";

const SPAN = /^(?:\d{1,9}[smhd])+$/;
const LONGEST_MS = 3650 * 86_400_000; // as far as the sandbox's clock goes at once
const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Draw the bar, and the strip that says which trouble is simulated. */
export function drawTop(state) {
  const connection = byId("connection");
  connection.dataset.state = state.connection;
  connection.textContent = t(state.connection);
  byId("receipts").checked = state.faults.readReceipts !== false;
  const wrong = troubles(state.faults);
  const open = byId("faults-open");
  open.classList.toggle("on", wrong.length > 0);
  const label = wrong.length ? t("faultsOn", { count: wrong.length }) : t("faults");
  open.setAttribute("aria-label", label);
  open.title = label;
  fill(open, icon("tune"), wrong.length > 0 && String(wrong.length));
  byId("trouble").hidden = wrong.length === 0;
  const text = wrong.length ? t("troubled", { list: wrong.join(", ") }) : "";
  if (byId("trouble-text").textContent !== text) byId("trouble-text").textContent = text;
  drawFaults(state.faults);
  drawClock(state);
}

/** Draw the clock alone; called each second. */
export function drawClock(state) {
  const at = now(state);
  byId("clock").textContent = state.loaded ? clockTime(at) : "--:--:--";
  const moved = ahead(state.clockAhead + 1000);
  fill(
    byId("clock-date"),
    state.loaded ? clockDate(at) : "",
    moved ? [h("span", { class: "between" }, " · "), h("b", {}, t("clockAhead", { by: moved }))] : "",
  );
}

/**
 * Wire the bar.
 * @param {object} state
 * @param {{moveClock: (span) => Promise<void>, changeFaults: (faults) => void, reset: () => void, language: () => void}} acts
 */
export function wireTop(state, acts) {
  byId("clock-any").append(icon("dots"));
  byId("receipts").addEventListener("change", ({ target }) => acts.changeFaults({ readReceipts: target.checked }));
  byId("faults-open").addEventListener("click", () => faultsDialog(state, acts));
  byId("trouble-clear").addEventListener("click", () => {
    acts.clearFaults();
    byId("faults-open").focus();
  });
  byId("language").addEventListener("click", acts.language);
  const moves = [...document.querySelectorAll(".clock-moves button")];
  const move = async (button, span) => {
    moves.forEach((each) => (each.disabled = true));
    await acts.moveClock(span);
    moves.forEach((each) => (each.disabled = false));
    button.focus();
  };
  for (const button of document.querySelectorAll("[data-move]"))
    button.addEventListener("click", () => move(button, button.dataset.move));
  byId("clock-any").addEventListener("click", ({ currentTarget: button }) =>
    clockDialog(state, (span) => move(button, span)),
  );
}

/** A span such as "1h30m" in milliseconds; NaN when it is none. */
export function spanOf(text) {
  const compact = text.replace(/\s/g, "").toLowerCase();
  if (!SPAN.test(compact)) return NaN;
  const sum = [...compact.matchAll(/(\d+)([smhd])/g)].reduce((all, [, many, unit]) => all + many * UNITS_MS[unit], 0);
  return sum > 0 && sum <= LONGEST_MS ? sum : NaN;
}

function clockDialog(state, move) {
  const span = h("input", {
    id: "clock-span",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "1h30m",
    data: { testid: "clock-span" },
  });
  const then = h("p", { class: "hint", role: "status" });
  const tell = () => {
    const at = now(state) + spanOf(span.value);
    then.textContent = Number.isNaN(at) ? t("clockHint") : t("clockThen", { date: clockDate(at), time: clockTime(at) });
  };
  span.addEventListener("input", tell);
  tell();
  const submit = () => {
    span.value = span.value.replace(/\s/g, "").toLowerCase();
    if (!right(span, { test: (text) => !Number.isNaN(spanOf(text)) })) return false;
    move(span.value);
    return true;
  };
  show(t("clockAny"), form(submit, field(t("clockBy"), span, t("clockWrong")), then, t("clockGo")));
  span.focus();
}

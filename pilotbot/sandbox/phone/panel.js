// The panel on the right: three tabs. Where the screen is narrow it is a drawer, on a phone a sheet over everything.

import { byId, icon } from "./dom.js";
import { keepAsking } from "./inspect.js";
import { drawLog, wireLog } from "./log.js";
import { recall, remember } from "./memory.js";
import { drawBot } from "./panel-bot.js";
import { drawMessage } from "./panel-message.js";

const TABS = { message: drawMessage, bot: drawBot, log: drawLog };
const DRAWER = matchMedia("(max-width: 1120px)");
const SHEET = matchMedia("(max-width: 700px)");

let tab = Object.hasOwn(TABS, recall("tab") ?? "") ? recall("tab") : "message";
let opener = null; // who gets the focus back: {node, message}, for a bubble may be drawn anew meanwhile
let draw = () => {}; // at once
let changed = () => {}; // soon

const isOpen = () => document.body.hasAttribute("data-panel");
const isSeen = () => !DRAWER.matches || isOpen();

/** Draw the tab that is looked at. */
export function drawPanel(state, acts) {
  for (const name of Object.keys(TABS)) {
    const chosen = name === tab;
    byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
    byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
    byId(`pane-${name}`).hidden = !chosen;
  }
  if (!isSeen()) return;
  TABS[tab](state, acts);
  if (tab !== "log") keepAsking(state, changed);
}

function choose(name) {
  tab = name;
  remember("tab", name);
  draw();
}

/**
 * Show the panel with a tab, and put the focus there; it goes back to where it was when the panel is left.
 * @param {"message"|"bot"|"log"} name
 */
export function showPanel(name) {
  const from = document.activeElement;
  if (!byId("panel").contains(from)) opener = { node: from, message: from.closest("[data-id]")?.dataset.id };
  document.body.toggleAttribute("data-panel", DRAWER.matches);
  byId("panel-open").setAttribute("aria-expanded", "true");
  shut();
  choose(name);
  byId(`tab-${name}`).focus();
}

function hidePanel() {
  document.body.toggleAttribute("data-panel", false);
  byId("panel-open").setAttribute("aria-expanded", "false");
  shut();
  const anew =
    opener?.message && document.querySelector(`[data-id="${CSS.escape(opener.message)}"] [data-testid="details"]`);
  const back = [opener?.node, anew, byId("panel-open"), byId("text")];
  back.find((node) => node?.isConnected && node.checkVisibility())?.focus();
  opener = null;
}

/** A sheet covers the page: nothing under it can be reached. */
function shut() {
  const covers = SHEET.matches && isOpen();
  const panel = byId("panel");
  for (const [name, value] of [
    ["role", "dialog"],
    ["aria-modal", "true"],
  ])
    if (covers) panel.setAttribute(name, value);
    else panel.removeAttribute(name);
  for (const part of [byId("bar"), ...document.querySelectorAll(".panes > :not(#panel)")]) part.inert = covers;
}

/** Wire the tabs, the ways in and out. `page.draw()` draws the page at once, `page.changed()` soon. */
export function wirePanel(page) {
  ({ draw, changed } = page);
  byId("panel-open").append(icon("log"));
  byId("panel-close").append(icon("close"));
  byId("panel-open").addEventListener("click", () => (isOpen() ? hidePanel() : showPanel(tab)));
  byId("panel-close").addEventListener("click", hidePanel);
  const names = Object.keys(TABS);
  for (const name of names) byId(`tab-${name}`).addEventListener("click", () => choose(name));
  byId("panel")
    .querySelector("[role=tablist]")
    .addEventListener("keydown", (event) => {
      const at = names.indexOf(tab);
      const last = names.length - 1;
      const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
        event.key
      ];
      if (to === undefined) return;
      event.preventDefault();
      choose(names[to]);
      byId(`tab-${names[to]}`).focus();
    });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], #popup:popover-open"))
      return;
    if (DRAWER.matches ? isOpen() : byId("panel").contains(document.activeElement) && opener) hidePanel();
  });
  for (const query of [DRAWER, SHEET])
    query.addEventListener("change", () => {
      shut();
      changed();
    });
  wireLog(changed);
}

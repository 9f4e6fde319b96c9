// Wires the page: one state, one way to draw it, the acts of the person who uses it.

import { chatActs } from "./acts.js";
import * as api from "./api.js";
import { wireFiles } from "./attach.js";
import { drawChat, wireChat } from "./chat.js";
import { chatFileDialog } from "./chatfile.js";
import { drawChats } from "./chats.js";
import { drawComposer, wireComposer } from "./composer.js";
import { byId, fill, h, icon, rove } from "./dom.js";
import { calm } from "./faults.js";
import { drawWindow, wireHead } from "./head.js";
import { locale, switchLanguage, t, translate } from "./i18n.js";
import { reveal } from "./log.js";
import { drawPanel, showPanel, wirePanel } from "./panel.js";
import { wirePopup } from "./popup.js";
import { wireSearch } from "./search.js";
import { apply, chatOf, emptyState, forget, load, markSeen, now, setNow, typingIn, TYPING_MS } from "./state.js";
import { follow } from "./stream.js";
import { drawClock, drawTop, wireTop } from "./top.js";

const TOAST_MS = 6000;

const state = emptyState();
let drawing = false;

/** Draw soon; many changes of one moment are drawn once. */
function changed() {
  if (drawing) return;
  drawing = true;
  // A page in the background has no frames: it draws all the same, for the title's count.
  (document.hidden ? setTimeout : requestAnimationFrame)(draw);
}

function draw() {
  drawing = false;
  if (!document.hidden) markSeen(state);
  drawTop(state);
  drawChats(state, open, acts.find);
  drawChat(state, acts);
  drawComposer(state, acts);
  drawPanel(state, acts);
}

/** What changes by itself each second. */
function tick() {
  drawClock(state);
  drawWindow(state);
  drawChats(state, open, acts.find); // how much is left of each window
}

let toastTimer = 0;
function toast(text) {
  const element = byId("toast");
  element.hidePopover();
  element.textContent = text;
  element.showPopover(); // on top of everything, an open dialog too
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.hidePopover(), TOAST_MS);
}

/** Do something with the sandbox; say so when it does not work. Resolves to whether it did. */
async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    toast(t("failedAction", { reason: error.message }));
    return false;
  }
}

function open(key) {
  state.open = key;
  state.quote = null;
  state.selected = null;
  document.body.dataset.view = "talk";
  draw();
  byId("text").focus();
}

const acts = {
  ...chatActs(state, { attempt, changed, draw, open, toast }),
  details(row) {
    state.selected = row.id;
    draw();
    showPanel("message");
  },
  unselect() {
    state.selected = null;
    changed();
  },
  showDelivery(id) {
    showPanel("log");
    reveal(id, state, acts);
  },
  async resend(delivery) {
    if (await attempt(() => api.resend(delivery.id))) toast(t("resent"));
  },
};

/** That somebody types is shown for a while, or until the message comes; see `typingIn`. */
function showTyping() {
  if (typingIn(state, state.open)) byId("spoken").textContent = t("typing");
  setTimeout(changed, TYPING_MS + 50);
}

/** Tell assistive technology of the bot's new messages in the open chat. */
function speak(row) {
  if (row.direction === "out" && !state.rows.has(row.id) && state.open?.endsWith(`|${row.contact}`)) {
    byId("spoken").textContent = `${t("bot")}: ${row.text ?? ""}`;
  }
}

function wireActs() {
  byId("save-test").addEventListener("click", saveTest);
  byId("new-contact").addEventListener("click", acts.newContact);
  byId("new-group").addEventListener("click", acts.newGroup);
  byId("back").addEventListener("click", () => {
    const key = state.open;
    state.open = null;
    document.body.dataset.view = "chats";
    draw();
    byId("chat-list")
      .querySelector(`[data-key="${CSS.escape(key)}"] button`)
      ?.focus();
  });
}

/** Show the open chat as a test file. */
async function saveTest() {
  const { number, contact } = chatOf(state, state.open);
  await attempt(async () => chatFileDialog(await api.getChatFile(number, contact), acts));
}

async function changeFaults(faults) {
  if (await attempt(() => api.setFaults(faults))) Object.assign(state.faults, faults);
  changed(); // a switch that was refused goes back
}

async function resetAll() {
  if (!(await attempt(api.reset))) return;
  forget(state);
  document.body.dataset.view = "chats";
  changed();
}

async function moveClock(span) {
  await attempt(async () => setNow(state, (await api.advanceClock(span)).now));
  changed();
}

function language() {
  switchLanguage();
  words();
  draw();
}

function words() {
  translate();
  byId("language").textContent = locale() === "en" ? "PT" : "EN";
  fill(byId("new-contact"), icon("plus"), h("span", {}, t("newContact")));
}

function start() {
  for (const [id, name] of [
    ["save-test", "download"],
    ["back", "back"],
    ["new-group", "group"],
    ["chat-menu", "more"],
  ])
    byId(id).append(icon(name));
  words();
  rove(byId("chat-list"), "button");
  wireTop(state, {
    moveClock,
    changeFaults,
    clearFaults: () => changeFaults(calm(state.faults)),
    reset: resetAll,
    language,
  });
  wirePanel({ draw, changed });
  wireActs();
  wirePopup();
  wireSearch(state, draw);
  wireHead(state, acts);
  wireChat(draw);
  wireComposer(state, acts);
  wireFiles(state, acts, attempt);
  document.addEventListener("visibilitychange", changed);
  setInterval(tick, 1000);
  follow({
    load(server, messages, deliveries) {
      load(state, server, messages, deliveries);
      if (state.open && !chatOf(state, state.open)) state.open = null;
      changed();
    },
    event(event) {
      if (event.kind === "message") speak(event.message);
      apply(state, event);
      if (event.kind === "typing") showTyping();
      changed();
    },
    connection(connection) {
      state.connection = connection;
      changed();
    },
  });
  draw();
}

start();

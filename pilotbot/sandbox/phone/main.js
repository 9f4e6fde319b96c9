// Wires the page: one state, one way to draw it, the acts of the person who uses it.

import * as api from "./api.js";
import { drawChat, drawWindow, wireChat } from "./chat.js";
import { drawChats } from "./chats.js";
import { drawComposer, senderOf, wireComposer, write } from "./composer.js";
import { attachDialog, faultsDialog, newContactDialog } from "./dialogs.js";
import { byId, fill, h, icon, rove } from "./dom.js";
import { ahead, clockDate, clockTime } from "./format.js";
import { locale, switchLanguage, t, translate } from "./i18n.js";
import { drawLog } from "./log.js";
import { addDraft, apply, chatOf, emptyState, forget, load, markSeen, now, setNow } from "./state.js";
import { follow } from "./stream.js";

const TOAST_MS = 6000;
const ANA = { phone: "+5511987650001", name: "Ana" };

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
  drawTop();
  drawChats(state, open);
  drawChat(state, acts);
  drawComposer(state, acts);
  drawLog(state, acts);
}

function drawTop() {
  const connection = byId("connection");
  connection.dataset.state = state.connection;
  connection.textContent = t(state.connection);
  byId("receipts").checked = state.faults.readReceipts !== false;
  byId("faults-open").classList.toggle(
    "on",
    Object.entries(state.faults).some(([name, value]) => troubling(name, value)),
  );
  tick();
}

const troubling = (name, value) =>
  name === "subscription" ? value === false : name !== "readReceipts" && Boolean(value);

/** What changes by itself each second. */
function tick() {
  const at = now(state);
  byId("clock").textContent = state.loaded ? clockTime(at) : "--:--:--";
  const moved = ahead(state.clockAhead + 1000);
  fill(
    byId("clock-date"),
    state.loaded ? clockDate(at) : "",
    moved ? [" · ", h("b", {}, t("clockAhead", { by: moved }))] : "",
  );
  drawWindow(state);
}

let toastTimer = 0;
function toast(text) {
  const element = byId("toast");
  element.textContent = text;
  element.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.hidden = true), TOAST_MS);
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
  document.body.dataset.view = "talk";
  draw();
  byId("text").focus();
}

const inbound = (message) => attempt(() => api.postInbound({ ...senderOf(state), ...message }));

const acts = {
  async say(text) {
    const quoted = state.rows.get(state.quote)?.messageId;
    acts.unquote();
    return inbound({ text, ...(quoted ? { quoted } : {}) });
  },
  tap: (row, label) => inbound({ tap: label, ...(row.messageId ? { quoted: row.messageId } : {}) }),
  quote(row) {
    state.quote = row.id;
    changed();
    byId("text").focus();
  },
  unquote() {
    state.quote = null;
    changed();
  },
  sample() {
    open(addDraft(state, { ...ANA, number: state.numbers[0]?.id ?? "num_meta" }));
    write(t("sampleOrder"));
  },
  newContact: () => newContactDialog(state, (contact) => open(addDraft(state, contact))),
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      toast(t("copied"));
    } catch {
      toast(text); // the browser keeps its clipboard to itself: show what was to be copied
    }
  },
};

/** Tell assistive technology of the bot's new messages in the open chat. */
function speak(row) {
  if (row.direction === "out" && !state.rows.has(row.id) && state.open?.endsWith(`|${row.contact}`)) {
    byId("spoken").textContent = `${t("bot")}: ${row.text ?? ""}`;
  }
}

function wireTop() {
  byId("new-contact").addEventListener("click", acts.newContact);
  byId("attach").addEventListener("click", () => attachDialog(inbound));
  byId("faults-open").addEventListener("click", () => faultsDialog(state, changeFaults, resetAll));
  byId("receipts").addEventListener("change", ({ target }) => changeFaults({ readReceipts: target.checked }));
  byId("language").addEventListener("click", () => {
    switchLanguage();
    words();
    draw();
  });
  for (const button of document.querySelectorAll("[data-move]"))
    button.addEventListener("click", () => moveClock(button));
  byId("log-open").addEventListener("click", () => showLog(!document.body.hasAttribute("data-log")));
  byId("log-close").addEventListener("click", () => showLog(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.hasAttribute("data-log")) showLog(false);
  });
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

async function moveClock(button) {
  const buttons = [...document.querySelectorAll("[data-move]")];
  buttons.forEach((each) => (each.disabled = true));
  await attempt(async () => setNow(state, (await api.advanceClock(button.dataset.move)).now));
  buttons.forEach((each) => (each.disabled = false));
  button.focus();
  changed();
}

function showLog(visible) {
  document.body.toggleAttribute("data-log", visible);
  byId("log-open").setAttribute("aria-expanded", String(visible));
  byId(visible ? "log-close" : "log-open").focus();
}

function words() {
  translate();
  byId("language").textContent = locale() === "en" ? "PT" : "EN";
  fill(byId("new-contact"), icon("plus"), h("span", {}, t("newContact")));
}

function start() {
  for (const [id, name] of [
    ["faults-open", "tune"],
    ["log-open", "log"],
    ["log-close", "close"],
    ["back", "back"],
  ])
    byId(id).append(icon(name));
  words();
  rove(byId("chat-list"), "button");
  rove(byId("log-list"), ".delivery-line");
  wireTop();
  wireChat(draw);
  wireComposer(acts.say, acts.unquote);
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

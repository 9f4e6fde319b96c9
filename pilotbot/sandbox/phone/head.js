// Above and around the conversation: who it is with, its menu, its window, what stands in place of the composer.

import { avatar, nameOf } from "./chats.js";
import { byId, fill, h, icon, reconcile } from "./dom.js";
import { countdown, phoneText } from "./format.js";
import { numberName, t } from "./i18n.js";
import { openMenu } from "./popup.js";
import { chatOf, numberOf, rowsOf, typingIn, windowOf } from "./state.js";

/** Draw all that stands around the bubbles of the open chat. */
export function drawHead(state, chat, acts) {
  byId("talk-avatar").replaceWith(Object.assign(avatar(chat), { id: "talk-avatar" }));
  byId("talk-name").textContent = nameOf(chat);
  const number = numberOf(state, chat.number);
  const later = chat.reads === false ? ` · ${t("readsLater")}` : "";
  const typing = typingIn(state, chat.key);
  byId("talk-number").textContent = typing
    ? t("typing")
    : `${aboutChat(chat)} → ${number ? numberName(number) : chat.number}${later}`;
  byId("talk-number").classList.toggle("typing", typing);
  byId("talk-number").title = number ? phoneText(number.phone) : "";
  drawBlocked(chat, acts);
  drawWindow(state);
}

const aboutChat = (chat) =>
  chat.members?.length ? t("memberCount", { count: chat.members.length }) : phoneText(chat.contact);

/** A contact who has blocked the bot can write nothing: in place of the composer, the way back. */
function drawBlocked(chat, acts) {
  const box = byId("blocked");
  byId("composer").hidden = Boolean(chat.blocked);
  box.hidden = !chat.blocked;
  const note = t("blockedNote", { name: nameOf(chat) });
  const props = { type: "button", class: "pill", data: { testid: "unblock" }, on: { click: acts.unblock } };
  const build = () => h("div", {}, h("p", {}, note), h("button", props, t("unblock")));
  reconcile(box, chat.blocked ? [{ key: chat.key, version: note, build }] : []);
}

/** Draw the countdown, and the banner of a closed window; called each second. */
export function drawWindow(state) {
  const chat = state.open && chatOf(state, state.open);
  if (!chat) return;
  const { kind, left } = windowOf(state, chat);
  const name = nameOf(chat);
  const text = {
    none: () => t("windowNone"),
    never: () => t("windowNever", { name }),
    closed: () => t("windowClosed"),
    open: () => t("windowOpen", { left: countdown(left) }),
  }[kind]();
  const element = byId("window");
  element.dataset.window = kind;
  if (element.textContent !== text) element.textContent = text;

  const banner = { closed: "closedBanner", never: "neverBanner" }[kind];
  const words = banner && !chat.blocked && rowsOf(state, chat.key).length ? t(banner, { name }) : "";
  byId("banner").hidden = !words;
  if (byId("banner").textContent !== words) fill(byId("banner"), words && icon("lock"), words);
}

function menu(state, acts) {
  const chat = chatOf(state, state.open);
  const group = chat.kind === "group";
  return [
    { testid: "menu-edit", label: t(group ? "editGroup" : "editContact"), icon: "edit", act: acts.edit },
    { testid: "menu-read", label: t("readNow"), icon: "eye", act: acts.readNow },
    {
      testid: "menu-reads",
      label: t("readsMessages"),
      icon: "double",
      checked: chat.reads !== false,
      act: () => acts.reads(chat.reads === false),
    },
    chat.kind === "contact" && {
      testid: "menu-block",
      label: t(chat.blocked ? "unblock" : "block"),
      icon: "block",
      class: chat.blocked ? "" : "danger",
      act: chat.blocked ? acts.unblock : acts.block,
    },
  ].filter(Boolean);
}

/** Wire the menu of the chat. */
export function wireHead(state, acts) {
  const button = byId("chat-menu");
  button.addEventListener("click", () => openMenu(button, t("chatMenu"), menu(state, acts)));
}

// What the person at this page does in a chat: calls to the sandbox, and changes of what is on the screen.

import { postFlow, postInbound, readChat, saveContact } from "./api.js";
import { attachMenu } from "./attach.js";
import { reveal } from "./chat.js";
import { personOf, senderOf, write } from "./composer.js";
import { dial } from "./dial.js";
import { byId } from "./dom.js";
import { openReactions } from "./emoji.js";
import { flowDialog } from "./flow.js";
import { t } from "./i18n.js";
import { contactDialog, groupDialog } from "./people.js";
import { listSheet } from "./sheet.js";
import { chatOf, keyOf, mergeChat, reactionsOf } from "./state.js";

const ANA = { contact: "+5511987650001", name: "Ana" };
const LIT_MS = 2500;

/**
 * The acts of the chats.
 * @param {object} state
 * @param {object} page what the page does for them: `attempt(action)` resolves to whether the action worked, `changed()`
 *   draws soon, `draw()` at once, `open(key)` shows a chat, `toast(text)` says something
 */
export function chatActs(state, { attempt, changed, draw, open, toast }) {
  const chat = () => chatOf(state, state.open);
  const inbound = (message) => attempt(() => postInbound({ ...senderOf(state), ...message }));
  let litTimer = 0;

  /** What a message says of the one it answers; from then on nothing is answered. */
  function takeQuote() {
    const quoted = state.rows.get(state.quote)?.messageId;
    acts.unquote();
    return quoted ? { quoted } : {};
  }

  /** Make or change a chat; resolves to its key, or null when that was refused. */
  async function save(wanted) {
    let key = null;
    await attempt(async () => {
      const saved = await saveContact(wanted);
      key = keyOf(saved.number, saved.contact);
      const addedAt = state.chats.get(key)?.addedAt ?? new Date(Date.now() + state.clockAhead).toISOString();
      mergeChat(state, { ...saved, addedAt });
      changed();
    });
    return key;
  }

  async function begin(wanted) {
    const key = await save(wanted);
    if (key) open(key);
    return key !== null;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      toast(t("copied"));
    } catch {
      toast(text); // the browser keeps its clipboard to itself: show what was to be copied
    }
  }

  const change = (what) => save({ contact: chat().contact, number: chat().number, ...what });

  const acts = {
    say: (text) => inbound({ text, ...takeQuote() }),
    share: (message) => inbound({ ...message, ...takeQuote() }),
    tap: (row, label) => inbound({ tap: label, ...(row.messageId ? { quoted: row.messageId } : {}) }),
    openList: (row) => listSheet(row, (label) => acts.tap(row, label)),
    dial: (option) => dial(option, copy),
    openFlow(row) {
      const back = { from: row.contact, number: row.number, flowToken: row.flow.flowToken };
      flowDialog(row, (response) => attempt(() => postFlow({ ...back, response })));
    },
    copy,
    pickReaction(anchor, row, about) {
      const mine = about.reactions.find(({ person }) => person === about.me)?.emoji;
      openReactions(anchor, mine, (emoji) => acts.react(row, emoji));
    },
    react(row, emoji) {
      const mine = reactionsOf(state, row).find((each) => each.person === personOf(state));
      const reaction = { emoji: mine?.emoji === emoji ? "" : emoji, message: row.messageId ?? row.id };
      return inbound({ type: "reaction", reaction });
    },
    quote(row) {
      state.quote = row.id;
      changed();
      byId("text").focus();
    },
    unquote() {
      state.quote = null;
      changed();
    },
    takeQuote,
    redraw: changed,
    attach: (anchor) => attachMenu(anchor, state, acts, attempt),

    async sample() {
      if (await begin({ ...ANA, number: state.numbers[0]?.id })) write(t("sampleOrder"));
    },
    begin,
    newContact: () => contactDialog(state, null, begin),
    newGroup: () => groupDialog(state, null, begin),
    edit: () => (chat().kind === "group" ? groupDialog : contactDialog)(state, chat(), change),
    block: () => change({ blocked: true }),
    async unblock() {
      await change({ blocked: false });
      draw();
      byId("text").focus();
    },
    reads: (reads) => change({ reads }),
    readNow: () =>
      attempt(async () => {
        const { read } = await readChat(chat().number, chat().contact);
        toast(read === 1 ? t("readDoneOne") : t("readDone", { count: read }));
      }),

    /** Show a message where it stands, lit up for a moment. */
    find(row) {
      if (row.key !== state.open) open(row.key);
      state.found = row.id;
      draw();
      reveal(state, row, draw);
      clearTimeout(litTimer);
      litTimer = setTimeout(() => {
        state.found = null;
        changed();
      }, LIT_MS);
    },
  };
  return acts;
}

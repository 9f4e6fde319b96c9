// The dialogs of contacts and groups: new ones, and what can be changed of known ones.

import { byId, fill, h, icon } from "./dom.js";
import { COLOURS, hue, phoneText } from "./format.js";
import { numberName, t } from "./i18n.js";
import { field, form, right, show } from "./modal.js";
import { peopleOf } from "./state.js";

const PHONE = /^\+[1-9]\d{7,14}$/;
const GROUP = /^\d[\d-]*@g\.us$/;
const SOMETHING = /\S/;

const compact = (phone) => phone.replace(/[\s().-]/g, "");

/** Ask for a contact, or for what changes of `chat`; `save(wanted)` is given the body of POST /sandbox/contacts. */
export function contactDialog(state, chat, save) {
  const name = input("new-name", { maxlength: 60, value: chat ? (chat.name ?? "") : "Bruno" });
  const phone = input("new-phone", { type: "tel", value: chat ? phoneText(chat.contact) : "+5511987650002" });
  phone.readOnly = Boolean(chat);
  const number = numbers(state, chat);
  const colour = colours(chat?.colour ?? hue(compact(phone.value)));
  if (!chat) phone.addEventListener("input", () => colour.suggest(hue(compact(phone.value))));
  const submit = () => {
    if (chat) {
      save({ ...(name.value.trim() ? { name: name.value.trim() } : {}), colour: colour.value() });
      return true;
    }
    phone.value = compact(phone.value);
    if (!right(phone, PHONE)) return false;
    save({
      contact: phone.value,
      number: number.value,
      colour: colour.value(),
      name: name.value.trim() || phoneText(phone.value),
    });
    return true;
  };
  show(
    t(chat ? "editContact" : "newContact"),
    form(
      submit,
      field(t("name"), name),
      field(t("phone"), phone, t("phoneWrong")),
      field(t("writesTo"), number),
      colour.element,
      t(chat ? "save" : "start"),
    ),
  );
  name.select();
}

/** Ask for a group, or for what changes of `chat`; `save(wanted)` is given the body of POST /sandbox/contacts. */
export function groupDialog(state, chat, save) {
  const name = input("group-name", { maxlength: 60, value: chat?.name ?? "" });
  const id = input("group-id", { value: chat?.contact ?? freshId() });
  id.readOnly = Boolean(chat);
  const number = numbers(state, chat);
  if (!chat) number.value = (state.numbers.find((each) => each.groups !== false) ?? state.numbers[0])?.id;
  const refused = h("p", { class: "hint warning", role: "status" });
  const judge = () => {
    const takes = state.numbers.find((each) => each.id === number.value)?.groups !== false;
    refused.textContent = takes ? "" : t("groupRefused");
  };
  number.addEventListener("change", judge);
  judge();
  const colour = colours(chat?.colour ?? hue(id.value));
  const members = memberList(state, chat?.members ?? []);
  const submit = () => {
    if (!right(name, SOMETHING) || !right(id, GROUP) || !members.right()) return false;
    const about = { name: name.value, colour: colour.value(), members: members.value() };
    save(chat ? about : { contact: id.value, number: number.value, ...about });
    return true;
  };
  show(
    t(chat ? "editGroup" : "newGroupChat"),
    form(
      submit,
      field(t("groupName"), name, t("groupNameWrong")),
      members.element,
      field(t("writesTo"), number),
      refused,
      colour.element,
      field(t("groupId"), id, t("groupWrong")),
      t(chat ? "save" : "createGroup"),
    ),
  );
  name.focus();
}

const input = (id, props) => h("input", { id, autocomplete: "off", data: { testid: id }, ...props });

/** A group id such as WhatsApp gives. */
const freshId = () => `120363${String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(12, "0")}@g.us`;

/** The choice of the number that is written to; a chat that exists keeps its own. */
function numbers(state, chat) {
  return h(
    "select",
    { id: "new-number", disabled: Boolean(chat), data: { testid: "new-number" } },
    state.numbers.map((each) =>
      h(
        "option",
        { value: each.id, selected: each.id === chat?.number },
        `${numberName(each)} ${phoneText(each.phone)}`,
      ),
    ),
  );
}

/** The choice of a colour; `suggest` changes it until one was chosen by hand. */
function colours(value) {
  let chosen = false;
  const radios = Array.from({ length: COLOURS }, (_, index) =>
    h("input", {
      type: "radio",
      name: "colour",
      value: index,
      class: `swatch hue-${index}`,
      checked: index === value,
      "aria-label": t(`colour_${index}`),
      title: t(`colour_${index}`),
      data: { testid: "colour" },
      on: { change: () => (chosen = true) },
    }),
  );
  return {
    element: h("fieldset", { class: "field swatches" }, h("legend", {}, t("colour")), radios),
    value: () => radios.findIndex((radio) => radio.checked),
    suggest: (index) => chosen || (radios[index].checked = true),
  };
}

/** The members of a group: those it has, everyone who has a chat, and whoever is added by name and phone. */
function memberList(state, present) {
  const people = new Map(present.map(({ contact, name }) => [contact, { contact, name, in: true }]));
  for (const { contact, name } of peopleOf(state)) if (!people.has(contact)) people.set(contact, { contact, name });
  const list = h("ul", { class: "members" });
  const none = h("p", { class: "problem", role: "alert", hidden: true }, t("membersNone"));
  const name = input("member-name", { maxlength: 60, placeholder: t("name"), "aria-label": t("memberName") });
  const phone = input("member-phone", { type: "tel", placeholder: "+55…", "aria-label": t("memberPhone") });
  const wrong = h(
    "span",
    { class: "problem", id: "member-phone-problem", role: "alert", hidden: true },
    t("phoneWrong"),
  );
  const draw = () =>
    fill(
      list,
      [...people.values()].map((person) => {
        const choose = ({ target }) => (person.in = target.checked);
        return h(
          "li",
          {},
          h(
            "label",
            { class: "member" },
            h("input", {
              type: "checkbox",
              checked: Boolean(person.in),
              data: { testid: "member", contact: person.contact },
              on: { change: choose },
            }),
            h("span", { class: "member-name" }, person.name || phoneText(person.contact)),
            h("span", { class: "member-phone" }, phoneText(person.contact)),
          ),
        );
      }),
    );
  const add = () => {
    phone.value = compact(phone.value);
    if (!right(phone, PHONE)) return;
    people.set(phone.value, { contact: phone.value, name: name.value.trim() || null, in: true });
    none.hidden = true;
    name.value = phone.value = "";
    draw();
    name.focus();
  };
  const onEnter = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the person is added; the form is not sent yet
    add();
  };
  for (const each of [name, phone]) each.addEventListener("keydown", onEnter);
  draw();
  const value = () =>
    [...people.values()]
      .filter((person) => person.in)
      .map((person) => ({ contact: person.contact, ...(person.name ? { name: person.name } : {}) }));
  return {
    element: h(
      "fieldset",
      { class: "field" },
      h("legend", {}, t("members")),
      list,
      none,
      h(
        "div",
        { class: "member-new" },
        name,
        phone,
        h(
          "button",
          {
            type: "button",
            class: "tool",
            "aria-label": t("memberAdd"),
            title: t("memberAdd"),
            data: { testid: "member-add" },
            on: { click: add },
          },
          icon("plus"),
        ),
      ),
      wrong,
    ),
    value,
    right() {
      if (phone.value.trim()) add(); // typed, not yet added
      none.hidden = value().length > 0;
      if (!none.hidden) name.focus();
      return none.hidden && byId("member-phone-problem").hidden;
    },
  };
}

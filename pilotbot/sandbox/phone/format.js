// Plain values for people: times, durations, phones, initials.

import { locale, t } from "./i18n.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (value) => String(value).padStart(2, "0");
const startOfDay = (at) => new Date(at).setHours(0, 0, 0, 0);

const made = new Map(); // making a formatter is slow, using one is not

function formatter(options) {
  const key = locale() + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale(), options));
  return made.get(key);
}

/** A function of an ISO or millisecond time; what is no time becomes no text. */
const inForm = (options) => (at) =>
  Number.isNaN(new Date(at).getTime()) ? "" : formatter(options).format(new Date(at));

/** "14:05" */
export const timeOf = inForm({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** "14:05:09" */
export const clockTime = inForm({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** "Sat, Nov 21" */
export const clockDate = inForm({ weekday: "short", day: "numeric", month: "short" });

/** "Saturday, November 21" */
const longDate = inForm({ weekday: "long", day: "numeric", month: "long" });

/** "11/21" */
const shortDate = inForm({ day: "2-digit", month: "2-digit" });

/** The day of a message as seen from `now`: today, yesterday, or its date. */
export function dayOf(at, now) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return longDate(at);
}

/** For the chat list: the time today, else the day. */
export function shortWhen(at, now) {
  if (startOfDay(at) === startOfDay(now)) return timeOf(at);
  return startOfDay(now) - startOfDay(at) === DAY ? t("yesterday") : shortDate(at);
}

/** "23:41:10" */
export function countdown(ms) {
  const left = Math.max(0, Math.floor(ms / SECOND));
  return `${two(Math.floor(left / 3600))}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
}

/** "1 d 2 h", "45 min": how far the clock was moved. Empty under a minute. */
export function ahead(ms) {
  const days = Math.floor(ms / DAY);
  const hours = Math.floor(ms / HOUR) % 24;
  const minutes = Math.floor(ms / MINUTE) % 60;
  return [days && `${days} d`, hours && `${hours} h`, !days && minutes && `${minutes} min`].filter(Boolean).join(" ");
}

/** "+55 11 98765-0001" for Brazilian phones; others, and ids of groups, as they are. */
export function phoneText(phone) {
  const [, area, first, last] = /^\+55(\d{2})(\d{4,5})(\d{4})$/.exec(phone ?? "") ?? [];
  return area ? `+55 ${area} ${first}-${last}` : String(phone ?? "");
}

/** One or two letters for an avatar. */
export function initials(name) {
  const words = String(name ?? "")
    .trim()
    .split(/\s+/)
    .filter((word) => /[\p{L}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map(
    (word) => [...(word ?? "")].find((letter) => /\p{L}/u.test(letter)) ?? "",
  );
  return letters.join("").toUpperCase() || "#";
}

/** A number from 0 to 7, the same for the same text: the colour of an avatar. */
export function hue(text) {
  let sum = 0;
  for (const letter of String(text)) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return sum % 8;
}

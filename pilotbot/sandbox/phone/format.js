// Plain values for people: times, durations, phones, initials.

import { locale, t } from "./i18n.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How many colours people can have. */
export const COLOURS = 12;

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

/** "Sat, Nov 21, 2026" */
const fullDate = inForm({ weekday: "short", day: "numeric", month: "short", year: "numeric" });

/** "Sat, Nov 21, 14:05", with the year where it is another one */
export const whenOf = (at) => `${(ofThisYear(at) ? clockDate : fullDate)(at)}, ${timeOf(at)}`;

const ofThisYear = (at) => new Date(at).getFullYear() === new Date().getFullYear();

/** The time alone where it is of the same day as `day`, else the date with it. */
export const whenFrom = (at, day) => (startOfDay(at) === startOfDay(day) ? timeOf(at) : whenOf(at));

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

/** "240 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "1 d 2 h": how long something took. */
export function duration(ms) {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE) return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(ms / SECOND)} s`;
  const seconds = Math.floor(ms / SECOND) % 60;
  if (ms < HOUR) return [`${Math.floor(ms / MINUTE)} min`, seconds && `${seconds} s`].filter(Boolean).join(" ");
  const minutes = Math.floor(ms / MINUTE) % 60;
  return ms < DAY ? [`${Math.floor(ms / HOUR)} h`, minutes && `${minutes} min`].filter(Boolean).join(" ") : ahead(ms);
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

/** A number from 0 to 11, the same for the same address: the colour that the sandbox, too, gives whoever chose none. */
export function hue(address) {
  const key = String(address).replace(/^(\+55\d{2})9([6-9]\d{7})$/, "$1$2"); // Brazilian mobiles: with or without the ninth digit
  let crc = -1;
  for (const byte of new TextEncoder().encode(key)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0) % COLOURS;
}

/** "840 B", "12 kB", "1.4 MB" */
export function bytes(count) {
  const [size, unit] = count < 1000 ? [count, "B"] : count < 999_500 ? [count / 1000, "kB"] : [count / 1e6, "MB"];
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: unit === "MB" ? 1 : 0 }).format(size)} ${unit}`;
}

/** "0:07", "12:30" */
export function length(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}

/** How much of a window is left, as one short figure: "23 h", "59 min". */
export function leftShort(ms) {
  return ms >= HOUR ? `${Math.floor(ms / HOUR)} h` : `${Math.max(1, Math.floor(ms / MINUTE))} min`;
}

// Days in the Gregorian and the Jalali calendar. A day travels as ISO text, "2026-11-22"; months count from 1.
import { jalaaliMonthLength, toGregorian, toJalaali } from "jalaali-js";
import { ascii, local } from "./digits.js";

const two = (number) => String(number).padStart(2, "0");
const iso = (y, m, d) => `${String(y).padStart(4, "0")}-${two(m)}-${two(d)}`;
const parts = (day) => day.split("-").map(Number);
const noon = (day) => new Date(`${day}T12:00:00Z`);

const gregorian = {
  name: "gregory",
  separator: "-",
  split: parts,
  join: iso,
  monthLength: (y, m) => new Date(Date.UTC(y, m, 0)).getUTCDate(),
};

const jalali = {
  name: "persian",
  separator: "/",
  split(day) {
    const { jy, jm, jd } = toJalaali(...parts(day));
    return [jy, jm, jd];
  },
  join(y, m, d) {
    const { gy, gm, gd } = toGregorian(y, m, d);
    return iso(gy, gm, gd);
  },
  monthLength: (y, m) => jalaaliMonthLength(y, m),
};

export const calendars = { gregorian, jalali };

/** Return today's day where the reader is. */
export function today() {
  const now = new Date();
  return iso(now.getFullYear(), now.getMonth() + 1, now.getDate());
}

export function addDays(day, count) {
  const moved = noon(day);
  moved.setUTCDate(moved.getUTCDate() + count);
  return moved.toISOString().slice(0, 10);
}

/** Move by months of the calendar; a day the month does not have becomes its last. */
export function addMonths(calendar, day, count) {
  const [y, m, d] = calendar.split(day);
  const months = y * 12 + m - 1 + count;
  return clamped(calendar, Math.floor(months / 12), (months % 12) + 1, d);
}

/** Return the day y-m-d, or the last of that month when it is shorter. */
export function clamped(calendar, y, m, d) {
  return calendar.join(y, m, Math.min(d, calendar.monthLength(y, m)));
}

/** Return 0 for the first day of the reader's week: Saturday in fa, Monday elsewhere. */
export function weekday(day, locale) {
  return (noon(day).getUTCDay() + (locale === "fa" ? 1 : 6)) % 7;
}

/** Write a day with Intl in the calendar and language. */
export function write(calendar, day, locale, options) {
  const format = new Intl.DateTimeFormat(`${locale}-u-ca-${calendar.name}`, { timeZone: "UTC", ...options });
  return format.format(noon(day));
}

/** Write a day as people type it, in the digits of the language. */
export function short(calendar, day) {
  const [y, m, d] = calendar.split(day);
  return local([y, two(m), two(d)].join(calendar.separator));
}

/** Return the ISO day someone typed, or undefined. A year tells its calendar: before 1700 it is Jalali. */
export function parse(text) {
  const bare = ascii(text).trim();
  const found = bare.match(/^(\d{4})(\d{2})(\d{2})$/) || bare.match(/^(\d{1,4})[-/. ]+(\d{1,2})[-/. ]+(\d{1,4})$/);
  if (!found) return undefined;
  let [y, m, d] = found.slice(1).map(Number);
  if (found[3].length === 4) [y, d] = [d, y];
  if (y < 1000 || y > 2999) return undefined;
  const calendar = y < 1700 ? jalali : gregorian;
  if (m < 1 || m > 12 || d < 1 || d > calendar.monthLength(y, m)) return undefined;
  return calendar.join(y, m, d);
}

// Persian, Arabic and ASCII digits.

/** Return the text with every Persian or Arabic digit and separator in ASCII. */
export const ascii = (text) =>
  text
    .replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 0x06f0)
    .replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 0x0660)
    .replace(/٫/g, ".")
    .replace(/[٬،]/g, ",");

/** Return the text with ASCII digits in those of the page's language. */
export const local = (text) =>
  document.documentElement.lang === "fa"
    ? String(text).replace(/\d/g, (digit) => String.fromCharCode(0x06f0 + Number(digit)))
    : String(text);

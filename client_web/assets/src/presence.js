// Tells the server that somebody looks at this page, so that reading for long does not count as silence.
// A page in the background says nothing. The address is named by the pages of people who are signed in.
const address = document.querySelector('meta[name="presence"]')?.content;
const EVERY_MS = 4 * 60_000;
const PAUSE_MS = 60_000;
let told = Date.now(); // opening the page was a word as well

function tell() {
  if (document.visibilityState !== "visible" || Date.now() - told < PAUSE_MS) return;
  told = Date.now();
  fetch(address, { credentials: "same-origin", cache: "no-store" }).catch(() => {
    // The server is away for a moment; whoever works on notices it with the next click.
  });
}

if (address) {
  setInterval(tell, EVERY_MS);
  document.addEventListener("visibilitychange", tell);
}

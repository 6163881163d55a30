"use strict";

// textual.js marks the body with -loaded when it is connected, and with -closed when it no longer is.
const connected = () => document.body.matches(".-loaded:not(.-closed)");

// A reload ends the console, and what it was sending with it: ask, as the console itself does on its quit key.
window.addEventListener("beforeunload", (leaving) => {
  if (connected()) leaving.preventDefault();
});

async function sayWhy() {
  let why;
  try {
    const answer = await fetch("state");
    why = answer.ok ? await answer.text() : "This browser is no longer let in. Start  evict serve  again.";
  } catch {
    why = "evict serve has ended, and the console with it.";
  }
  document.getElementById("why").textContent = why;
  document.getElementById("again").focus();
}

// Keys belong to the console from its first picture on, without a click into it.
function onChange() {
  if (document.body.matches(".-closed")) {
    if (!told) sayWhy();
    told = true;
  } else if (!focused && document.body.matches(".-first-byte")) {
    document.querySelector(".xterm-helper-textarea").focus();
    focused = true;
  }
}
let told = false;
let focused = false;

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("again").addEventListener("click", () => window.location.reload());
  new MutationObserver(onChange).observe(document.body, { attributeFilter: ["class"] });
});

"use strict";

const wasm = require("./ebusy_web.js");

/** Why a bundle cannot be read: a stable `code`, what happened (`message`), what to do (`advice`). */
class OpenError extends Error {
  constructor({ code, message, advice }) {
    super(message);
    this.name = "OpenError";
    this.code = code;
    this.advice = advice;
  }
}

/** Says who keeps something of a captured host busy. See index.d.ts. */
function analyze(bundle, options = {}) {
  let text;
  try {
    text = wasm.analyze(bundle, options.id);
  } catch (thrown) {
    throw typeof thrown === "string" ? new OpenError(JSON.parse(thrown)) : thrown;
  }
  return JSON.parse(text);
}

module.exports = { analyze, OpenError };

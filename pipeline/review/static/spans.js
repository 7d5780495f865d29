// Code the words that are marked: what the link for choosing sentences does when there are any.
"use strict";

const TOLD = "Choose sentences, or split";

// The place of a point of the page in the transcript, in code points; nothing if it is in no text of it.
function placeOf(node, offset) {
  const inside = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  const text = inside.closest?.("[data-at]");
  if (!text) return null;
  let place = Number(text.dataset.at);
  const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const end = document.createRange();
  end.setStart(node, offset);
  for (let piece = walk.nextNode(); piece; piece = walk.nextNode()) {
    if (piece.parentElement.closest("sup")) continue; // numbers that the page put there
    const behind = end.comparePoint(piece, 0); // -1: before the point
    if (piece !== node && behind >= 0) break;
    place += [...(piece === node ? piece.data.slice(0, offset) : piece.data)].length;
    if (piece === node) break;
  }
  return place;
}

// What is marked, if it begins and ends in the transcript's text.
function markedWords() {
  const marked = getSelection();
  if (!marked.rangeCount || marked.isCollapsed || !marked.toString().trim()) return null;
  const range = marked.getRangeAt(0);
  const start = placeOf(range.startContainer, range.startOffset);
  const end = placeOf(range.endContainer, range.endOffset);
  return start === null || end === null ? null : { start, end };
}

// Without the numbers that the page put between the words.
function wordsAt(range) {
  const copy = range.cloneContents();
  for (const number of copy.querySelectorAll("sup")) number.remove();
  return copy.textContent;
}

document.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest("#otherwise");
    const found = link && markedWords();
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    const form = document.getElementById("marked");
    const range = getSelection().getRangeAt(0);
    const one = range.startContainer.parentElement.closest("[data-at]") === range.endContainer.parentElement.closest("[data-at]");
    form.elements.start.value = found.start;
    form.elements.end.value = found.end;
    form.elements.words.value = one ? wordsAt(range) : "";
    getSelection().removeAllRanges();
    form.requestSubmit();
  },
  true,
);

// A click on the link must not take the marking away before it is read.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#otherwise, .cutting summary") && markedWords()) event.preventDefault();
});

document.addEventListener("selectionchange", () => {
  const told = document.querySelector("#otherwise span");
  const now = markedWords() ? "Code the marked words" : TOLD;
  if (told && told.textContent !== now) told.textContent = now;
});

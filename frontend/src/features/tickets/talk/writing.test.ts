import { expect, it } from "vitest";
import { block, link, pictureOf, prefix, quotation, replace, settle, trigger, wrap } from "./writing";

const at = (text: string, start: number, end = start) => ({ text, start, end });

it("wraps what is selected, and takes it away again", () => {
  const bold = wrap(at("so good", 3, 7), "**", "bold");
  expect(bold).toEqual(at("so **good**", 5, 9));
  expect(wrap(bold, "**", "bold")).toEqual(at("so good", 3, 7));
  expect(wrap(at("", 0), "`", "code")).toEqual(at("`code`", 1, 5));
});

it("begins lines, and takes that away again", () => {
  const list = prefix(at("one\ntwo\nthree", 1, 6), "- ");
  expect(list.text).toBe("- one\n- two\nthree");
  expect(prefix(list, "- ").text).toBe("one\ntwo\nthree");
  expect(prefix(at("", 0), "> ").text).toBe("> ");
});

it("makes links, blocks and quotations", () => {
  expect(link(at("see here", 4, 8), "x")).toEqual(at("see [here](https://)", 11, 19));
  expect(link(at("", 0), "words").text).toBe("[words](https://)");
  expect(block(at("", 0), "> a").text).toBe("> a\n\n");
  expect(block(at("hello", 5), "> a").text).toBe("hello\n\n> a\n\n");
  expect(block(at("hello\n", 6), "> a").text).toBe("hello\n\n> a\n\n");
  expect(block(at("hello\n\n", 7), "> a")).toEqual(at("hello\n\n> a\n\n", 12));
  expect(quotation(" a\n\nb ")).toBe("> a\n>\n> b");
  expect(replace(at("ask @ag now", 7), 4, 7, "@agent ")).toEqual(at("ask @agent  now", 11));
});

it("knows what is looked for at the caret", () => {
  expect(trigger("ask @ag", 7)).toEqual({ kind: "mention", query: "ag", from: 4 });
  expect(trigger("@", 1)).toEqual({ kind: "mention", query: "", from: 0 });
  expect(trigger("@Müll", 5)).toEqual({ kind: "mention", query: "Müll", from: 0 });
  expect(trigger("mail@ag", 7)).toBeNull();
  expect(trigger("ask @ag now", 11)).toBeNull();
  expect(trigger("/", 1)).toEqual({ kind: "reply", query: "", from: 0 });
  expect(trigger("hello\n/which mod", 16)).toEqual({ kind: "reply", query: "which mod", from: 6 });
  expect(trigger("and/or", 6)).toBeNull();
  expect(trigger("a /x", 4)).toBeNull();
  expect(trigger("// no", 5)).toBeNull();
  expect(trigger(`${"x".repeat(200)}/ab`, 203)).toBeNull();
  expect(trigger(`${"x".repeat(96)}\n/ab`, 100)).toEqual({ kind: "reply", query: "ab", from: 97 });
});

it("a file's name never breaks its picture", () => {
  expect(pictureOf("a[b]\\c.png", 7)).toBe("![a b  c.png](attachment:7)");
  expect(pictureOf("]", 7)).toBe("![file](attachment:7)");
});

it("what has arrived takes the place of what was on its way, unless that was deleted", () => {
  expect(settle("a ![…](#1) b", "![…](#1)", "X")).toBe("a X b");
  expect(settle("a b", "![…](#1)", "X")).toBe("a b");
});

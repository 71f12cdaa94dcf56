// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { toFragment, type Named } from "./markdown";

const people = new Map([
  ["agent", "Alex <Rivera>"],
  ["jane.doe", "Jane Doe"],
]);
function html(source: string, named: Named = { people, pictures: true }): string {
  const box = document.createElement("div");
  box.append(toFragment(source, named));
  return box.innerHTML;
}

describe("hostile text", () => {
  const sources = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/png;base64,AAAA)",
    "![x](javascript:alert(1))",
    '![x](attachment:1"onload="alert(1))',
    "![x](attachment:1/../../auth)",
    '![" onerror="alert(1)](attachment:12)',
    "<svg/onload=alert(1)>",
    "@agent<script>",
    "[@agent](javascript:alert(1))",
    "<iframe src='//evil.example'></iframe>",
    "<a href='x' onclick='alert(1)'>x</a>",
    "```<script>\nalert(1)\n```",
    "<style>*{display:none}</style>",
    "<form action=//evil.example><input name=x>",
  ];
  it.each(sources)("%s runs and loads nothing", (source) => {
    const box = document.createElement("div");
    box.append(toFragment(source, { people, pictures: true }));
    expect(
      box.querySelectorAll("script, img, iframe, svg, style, form, input, object, embed, video"),
    ).toHaveLength(0);
    for (const element of box.querySelectorAll("*"))
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^style$|^srcdoc$/);
        if (name === "href") expect(value).not.toMatch(/^\s*(javascript|data|vbscript|attachment):/i);
      }
  });

  it.each(["> ", "- ", "[", "![", "*", "_", "`", "@agent ", "![](attachment:1)", "(((", "<", "&", "**a "])(
    "20,000 characters of %s are read in time",
    (piece) => {
      const began = performance.now();
      html(piece.repeat(20_000).slice(0, 20_000));
      expect(performance.now() - began).toBeLessThan(4000);
    },
    20_000,
  );
});

describe("mentions", () => {
  const names = (source: string) =>
    [...toFragment(source, { people }).querySelectorAll("[data-mention]")].map((e) => e.textContent);

  it("show the person's name, as text", () => {
    expect(names("Hello @Agent, and (@jane.doe).")).toEqual(["@Alex <Rivera>", "@Jane Doe"]);
    expect(html("@agent")).toContain('<span data-mention="agent">@Alex &lt;Rivera&gt;</span>');
    expect(names("**@agent** ask @jane.doe.")).toEqual(["@Alex <Rivera>", "@Jane Doe"]);
  });

  it.each([
    "mail@agent",
    "a/@agent",
    "`@agent`",
    "\\@agent",
    "@@agent",
    "@agents",
    "@agent@example.com",
    "@nobody",
    "@",
  ])("%s is none", (source) => expect(names(source)).toEqual([]));

  it("are text where nobody is named", () => expect(html("@agent", {})).toBe("<p>@agent</p>\n"));
});

describe("pictures", () => {
  it("of the ticket get their place, others stay the text they are", () => {
    expect(html("![a shot](attachment:12)")).toContain('<span data-attachment="12">a shot</span>');
    expect(html("![a shot](attachment:12)", {})).toContain("![a shot](attachment:12)");
    expect(html("![a](https://evil.example/x.png)")).toContain("![a](https://evil.example/x.png)");
    expect(html("![a](attachment:x)")).not.toContain("data-attachment");
  });
});

// @vitest-environment jsdom
import { afterEach, describe, expect, it } from "vitest";
import { dateTime, duration, fileSize, initials, money, relative, useFormats } from "./format";
import { toFragment } from "./markdown";

afterEach(() => useFormats());

describe("formats", () => {
  it("follow the person's locale and zone", () => {
    useFormats("de-DE", "Asia/Tokyo");
    expect(money("1450.5", "EUR")).toMatch(/^1\.450,50\s€$/);
    expect(dateTime("2026-03-01T23:30:00Z")).toContain("02.03.2026");
  });

  it("stay exact with amounts a float cannot hold", () => {
    useFormats("en-US", "UTC");
    expect(money("9007199254740993.55", "USD")).toBe("$9,007,199,254,740,993.55");
  });

  it("fall back when locale, zone or currency are unknown", () => {
    useFormats("no_such_locale!", "Mars/Olympus");
    expect(money("5.00", "NOPE!")).toBe("5.00 NOPE!");
    expect(dateTime("2026-03-01T12:00:00Z")).toBeTruthy();
  });

  it("say how large a file is, and never make it smaller than it is", () => {
    useFormats("en-US", "UTC");
    expect(fileSize(0)).toBe("0 bytes");
    expect(fileSize(1)).toBe("1 byte");
    expect(fileSize(1025)).toBe("2 kB");
    expect(fileSize(25 * 1024 ** 2)).toBe("25 MB");
    expect(fileSize(25 * 1024 ** 2 + 1)).toBe("25.1 MB");
    useFormats("de-DE", "UTC");
    expect(fileSize(2.5 * 1024 ** 2)).toBe("2,5 MB");
  });

  it("say how long ago in whole units", () => {
    useFormats("en-US", "UTC");
    const now = Date.parse("2026-03-01T12:00:00Z");
    expect(relative("2026-03-01T11:59:30Z", now)).toBe("now");
    expect(relative("2026-03-01T09:00:00Z", now)).toBe("3 hr. ago");
    expect(relative("2026-03-02T13:00:00Z", now)).toBe("tomorrow");
  });

  it.each([
    [0, "1 min"],
    [0.4, "24 min"],
    [3.25, "3.3 hr"],
    [47, "47 hr"],
    [60, "2.5 days"],
  ])("say that %s hours took %s", (hours, said) => {
    useFormats("en-US", "UTC");
    expect(duration(hours)).toBe(said);
  });

  it("shorten names", () => {
    expect(initials("Jane van Doe")).toBe("JD");
    expect(initials("  ")).toBe("?");
  });
});

describe("markdown", () => {
  const html = (source: string) => {
    const box = document.createElement("div");
    box.append(toFragment(source));
    return box.innerHTML;
  };

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://elsewhere.example/track.png)",
    "<style>*{display:none}</style>",
    '<a href="data:text/html,x" style="position:fixed">x</a>',
  ])("%s does nothing", (source) => {
    const box = document.createElement("div");
    box.append(toFragment(source));
    expect(box.querySelector("script, img, style, [onerror], [style]")).toBeNull();
    for (const link of box.querySelectorAll("a"))
      expect(link.getAttribute("href")).not.toMatch(/^(javascript|data):/);
  });

  it("keeps what people write", () => {
    expect(html("**bold** and https://example.com")).toContain("<strong>bold</strong>");
    expect(html("https://example.com")).toContain('rel="noopener noreferrer nofollow"');
  });
});

// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, it } from "vitest";
import words from "@/shared/locales/en.json";
import StatusChip from "./StatusChip.vue";

it.each(Object.keys(words.status))("%s has a word and a sign of its own", (status) => {
  const chip = mount(StatusChip, { props: { status } });
  expect(chip.text()).not.toContain("status.");
  expect(chip.find("[aria-hidden]").text()).not.toBe("•");
});

it("an unknown state is shown, not hidden", () => {
  expect(mount(StatusChip, { props: { status: "LATER" } }).text()).toContain("•");
});

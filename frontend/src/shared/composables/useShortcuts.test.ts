import { mount } from "@vue/test-utils";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";
import { usePreferences } from "@/stores/preferences";
import { shortcuts, useShortcuts } from "./useShortcuts";

const run = vi.fn();
const View = defineComponent({
  setup() {
    useShortcuts([
      { key: "a", label: "approve", run },
      { key: "Enter", label: "open", run },
    ]);
    return () => h("div", [h("input"), h("button", "x")]);
  },
});

beforeEach(() => {
  localStorage.clear();
  setActivePinia(createPinia());
  run.mockReset();
});

const press = (target: Element | Document, key: string, more: KeyboardEventInit = {}) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
};

it("single keys work, but never while typing, with a modifier or when switched off", () => {
  const view = mount(View, { attachTo: document.body });
  press(document, "a");
  expect(run).toHaveBeenCalledTimes(1);
  press(view.get("input").element, "a");
  press(document, "a", { ctrlKey: true });
  usePreferences().shortcuts = false;
  press(document, "a");
  expect(run).toHaveBeenCalledTimes(1);
  view.unmount();
  expect(shortcuts.size).toBe(0);
});

it("Enter presses the button that has the focus", () => {
  const view = mount(View, { attachTo: document.body });
  expect(press(view.get("button").element, "Enter").defaultPrevented).toBe(false);
  expect(run).not.toHaveBeenCalled();
  press(document, "Enter");
  expect(run).toHaveBeenCalledOnce();
  view.unmount();
});

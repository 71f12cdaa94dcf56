// @vitest-environment jsdom
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

const wide = vi.fn();
const go = vi.fn();
const App = {
  setup() {
    useShortcuts([
      { key: "a", label: "everywhere", run: wide },
      { key: "g a", label: "go", run: go },
      { key: "Escape", label: "back", run: wide },
    ]);
    return () => h(View);
  },
};

it("two keys after each other, not too late, and nothing else of them", () => {
  vi.useFakeTimers();
  go.mockReset();
  const view = mount(App, { attachTo: document.body });
  press(document, "g");
  press(document, "a");
  expect(go).toHaveBeenCalledOnce();
  expect(run).not.toHaveBeenCalled();
  press(document, "g");
  press(document, "x");
  press(document, "a");
  expect([go.mock.calls.length, run.mock.calls.length]).toEqual([1, 1]);
  press(document, "g");
  vi.advanceTimersByTime(2000);
  press(document, "a");
  expect([go.mock.calls.length, run.mock.calls.length]).toEqual([1, 2]);
  press(document, "g");
  press(view.get("input").element, "a");
  press(document, "a", { metaKey: true });
  expect([go.mock.calls.length, run.mock.calls.length]).toEqual([1, 2]);
  view.unmount();
  vi.useRealTimers();
});

it("a view's key goes before the app's, and each is in force with its view only", () => {
  wide.mockReset();
  const view = mount(App, { attachTo: document.body });
  press(document, "a");
  expect([run.mock.calls.length, wide.mock.calls.length]).toEqual([1, 0]);
  press(view.get("input").element, "Escape");
  expect(wide).not.toHaveBeenCalled();
  press(document, "Escape");
  expect(wide).toHaveBeenCalledOnce();
  view.unmount();
  expect(press(document, "a").defaultPrevented).toBe(false);
});

it("what was taken already is left alone", () => {
  const view = mount(View, { attachTo: document.body });
  const event = new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true });
  event.preventDefault();
  document.dispatchEvent(event);
  expect(run).not.toHaveBeenCalled();
  view.unmount();
});

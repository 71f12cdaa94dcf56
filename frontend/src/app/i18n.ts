import { createI18n } from "vue-i18n";

type Messages = { [key: string]: string | Messages };
const files = import.meta.glob<Messages>(["../shared/locales/en.json", "../features/*/locales/en.json"], {
  eager: true,
  import: "default",
});

// Each feature brings its own words under its own name; the shared ones stand at the top.
const en = Object.entries(files).reduce<Messages>((all, [path, words]) => {
  const feature = /features\/([^/]+)\//.exec(path)?.[1];
  return feature ? { ...all, [feature]: words } : { ...all, ...words };
}, {});

export const i18n = createI18n({ legacy: false, locale: "en", fallbackLocale: "en", messages: { en } });

import { config } from "@vue/test-utils";
import { i18n } from "@/app/i18n";

// Components read their words and find links as in the app.
config.global.plugins = [i18n];
config.global.stubs = { RouterLink: { template: "<a><slot /></a>" }, UIcon: true };

/** Sensitive fields: marked by an administrator, read by those who need them, hidden from everybody else. */
import { expect, test, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  title,
} from "./support";

const IBAN = "DE89370400440532013000";

async function publish(admin: Page, name: string): Promise<void> {
  await admin.getByRole("link", { name: "New kind of request" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "New kind of request" })).toBeVisible();
  await admin.getByLabel("Name").fill(name);
  await admin.getByRole("tab", { name: "Form" }).click();
  await admin.getByRole("button", { name: "Add a field" }).click();
  await admin.getByRole("menuitem", { name: "Text", exact: true }).click();
  const panel = admin.getByRole("region", { name: /^Field: / });
  await panel.getByLabel("Title").fill("Bank account");
  await expect(panel.getByText("Starts with")).toBeVisible();
  await panel.getByRole("switch", { name: "Sensitive" }).click();
  await expect(panel.getByText("Starts with")).toHaveCount(0);
  await expectNoViolations(admin);
  await admin.getByRole("button", { name: "Create", exact: true }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();
}

test("hidden, shown to who decides, and answered anew", async ({ browser }) => {
  test.setTimeout(100_000);
  const name = title("Pay back");
  const admin = await as(browser, "admin", "/settings/ticket-types");
  await publish(admin, name);
  const key = new URL(admin.url()).pathname.split("/").pop() ?? "";

  const employee = await as(browser, "employee", `/new/${key}`);
  await expect(employee.getByText("Kept sealed")).toBeVisible();
  await employee.getByLabel("Title").fill(name);
  await employee.getByLabel("Bank account").fill(IBAN);
  await employee.getByRole("button", { name: "Submit" }).click();
  await expect(employee.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(employee.getByText("Hidden", { exact: true })).toBeVisible();
  await expect(employee.getByText(IBAN)).toHaveCount(0);
  await employee.getByRole("button", { name: "Show hidden answers" }).click();
  await expect(employee.getByText(IBAN)).toBeVisible();
  await expectNoViolationsInBothThemes(employee);
  await employee.getByRole("button", { name: "Hide them again" }).click();
  await expect(employee.getByText(IBAN)).toHaveCount(0);

  await employee.getByRole("button", { name: "Edit" }).first().click();
  const form = employee.getByRole("dialog");
  await expect(form.getByText("Your answer is kept hidden.")).toBeVisible();
  await expectNoViolationsInBothThemes(employee);
  await form.getByRole("button", { name: "Answer anew: Bank account" }).click();
  await expect(form.getByLabel("Bank account")).toBeFocused();
  await form.getByRole("button", { name: "Keep what was answered" }).click();
  await form.getByRole("button", { name: "Answer anew: Bank account" }).click();
  await form.getByLabel("Bank account").fill("GB33BUKB20201555555555");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  const path = new URL(employee.url()).pathname;

  const executive = await as(browser, "executive", path);
  await expect(executive.getByText("Hidden", { exact: true })).toBeVisible();
  await expect(executive.getByRole("button", { name: "Show hidden answers" })).toHaveCount(0);

  const manager = await as(browser, "manager", path);
  await expect(manager.getByText("That you read them is recorded.")).toBeVisible();
  await manager.getByRole("button", { name: "Show hidden answers" }).click();
  await expect(manager.getByText("GB33BUKB20201555555555")).toBeVisible();
  for (const width of [320, 768, 1440]) {
    await manager.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(manager);
  }
});

// A person at a real browser: signs in at the page at URL, and confirms a device if asked.
//   browser.js URL EMAIL PASSWORD [SCREENSHOT]
const path = require("path");
const { chromium } = require(path.join(process.env.NODE_MODULES, "playwright-core"));

async function main(url, email, password, screenshot) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const refused = [];
  page.on("console", (message) => {
    if (message.type() === "error") refused.push(message.text());
  });
  await page.goto(url, { waitUntil: "load" });
  for (let step = 0; step < 4; step++) {
    const field = page.locator("input[type=password]");
    if ((await field.count()) > 0) {
      if (screenshot) await page.screenshot({ path: screenshot });
      await page.locator("input[type=email], input[name=login], input[name=email]").first().fill(email);
      await field.fill(password);
    } else if ((await page.locator("form button, form input[type=submit]").count()) === 0) {
      break;
    }
    await Promise.all([
      page.waitForLoadState("load"),
      page.locator("form button[type=submit], form button, form input[type=submit]").first().click(),
    ]);
    await page.waitForTimeout(500);
  }
  console.log(await page.locator("body").innerText());
  // A page that breaks its own policy would say so on the console.
  const broken = refused.filter((text) => text.includes("Content Security Policy"));
  await browser.close();
  if (broken.length) throw new Error(broken.join("\n"));
}

main(...process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

// A check is one visit to a page: a browser context of its own, which must stay without errors and whose looks are kept
// as screenshots and searched by axe-core.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';

const packages = createRequire(join(process.env.NODE_PACKAGES, 'here.js'));
const { chromium } = packages('playwright-core');
const axe = packages('axe-core').source;

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
after(() => browser.close());

// Calls a method of the world in browser.py.
export async function helper(method, ...given) {
    const response = await fetch(process.env.HELPER_URL + method, { method: 'POST', body: JSON.stringify(given) });
    const answer = await response.json();
    assert.equal(response.status, 200, `${method}: ${answer}`);
    return answer;
}

// Asks until there is an answer that holds; returns it.
export async function eventually(ask, what, seconds = 20) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const answer = await ask();
        if (answer) return answer;
        assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
        await new Promise((again) => setTimeout(again, 30));
    }
}

class Visit {
    static async begin(options) {
        const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', viewport: { width: 1280, height: 800 }, ...options });
        context.setDefaultTimeout(20000);
        const visit = new Visit();
        visit.context = context;
        visit.errors = [];
        await context.exposeBinding('tellViolation', (_, what) => visit.errors.push(`against the policy: ${what}`));
        await context.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) =>
            tellViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
        visit.page = await context.newPage();
        visit.page.on('pageerror', (error) => visit.errors.push(error.stack));
        visit.page.on('console', (message) => {
            // The browser's own line about an answer such as 404, or about none: what the page makes of it is looked at.
            const isOfNetwork = message.text().startsWith('Failed to load resource');
            if (['error', 'warning'].includes(message.type()) && !isOfNetwork) visit.errors.push(message.text());
        });
        return visit;
    }

    // What the browser says of something that the check is about is no error.
    forgive(pattern) {
        this.errors = this.errors.filter((error) => !pattern.test(error));
    }

    async screenshot(name) {
        const path = join(process.env.SCREENSHOTS, `${name}.png`);
        await this.page.screenshot({ path, fullPage: true });
        return path;
    }

    // Keeps what is seen now, and finds nothing in it that keeps people out.
    async look(name) {
        await this.screenshot(name);
        if (!(await this.page.evaluate('Boolean(window.axe)'))) await this.page.evaluate(axe);
        const violations = await this.page.evaluate(async () => (await axe.run(document, { resultTypes: ['violations'] })).violations);
        const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        assert.deepEqual(grave.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), [], `axe-core at ${name}`);
    }
}

export function check(name, options, body = options) {
    test(name, { timeout: 180000 }, async () => {
        const visit = await Visit.begin(body === options ? {} : options);
        try {
            await body(visit.page, visit);
            assert.deepEqual(visit.errors, [], 'errors in the console');
        } catch (error) {
            const path = await visit.screenshot(`FAILED-${name.replaceAll(/\W+/g, '-')}`).catch(() => 'none could be made');
            error.stack += `\n    screenshot: ${path}`;
            throw error;
        } finally {
            await visit.context.close();
        }
    });
}

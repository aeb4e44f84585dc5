// ceph-taskd's own page.
import assert from 'node:assert/strict';
import { check, eventually, helper } from './visit.mjs';

const home = process.env.PAGE_URL;
const gib = 2 ** 30;
const phone = { width: 360, height: 740 };

const executing = (page, text) => page.locator('section[aria-labelledby=executing] li', { hasText: text });
const finished = (page, text) => page.locator('section[aria-labelledby=finished] li', { hasText: text });
const state = (page) => page.locator('header [role=status]');
const headline = (page, name) => page.getByRole('heading', { name });

async function open(page, where = '') {
    await page.goto(`${home}/${where}`);
    await eventually(async () => /Live|Read every/.test(await state(page).innerText()), 'the page has read the tasks');
}

async function go(page, name) {
    await page.getByRole('navigation', { name: 'Pages of this site' }).getByRole('link', { name }).click();
}

async function fillCreate(page, name, pool = 'rbd') {
    const form = page.getByRole('form', { name: 'Create an image' });
    await form.getByLabel('Pool').fill(pool);
    await form.getByLabel('Name', { exact: true }).fill(name);
    return form;
}

async function askRemoval(page, spec) {
    page.once('dialog', (dialog) => dialog.accept());
    const form = page.getByRole('form', { name: 'Remove an image' });
    await form.getByLabel(/^Image/).fill(spec);
    await form.getByRole('button', { name: 'Remove' }).click();
    return form;
}

// An image whose removal takes long enough to be looked at.
async function startRemoval(page, name, size = 2048 * gib) {
    await helper('make_images', [name], size); // without an object map: each of its objects is tried
    await open(page, '#/images');
    const form = await askRemoval(page, `rbd/${name}`);
    await form.getByText('Under way').waitFor();
}

async function cancel(page, name) {
    await go(page, 'Tasks');
    await executing(page, name).getByRole('button', { name: /Cancel/ }).click();
    await finished(page, name).getByText('cancelled', { exact: true }).waitFor();
}


check('an image is made in the form, which leads to its task', async (page, visit) => {
    await open(page);
    await go(page, 'Images');
    const form = await fillCreate(page, 'made');
    await form.getByLabel('Size in GiB').fill('0.5');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByText(/Done|Under way/).waitFor();
    await visit.look('image-made');
    await form.getByRole('link', { name: 'its task' }).click();
    await headline(page, 'rbd/create rbd/made').waitFor();
    await page.getByText('success').waitFor();
    await visit.look('task');
    assert.ok((await helper('images', 'made')).includes('made'), 'the image is there');
});

check('a removal shows how far it is, its rate and the time left, and is cancelled', async (page, visit) => {
    await startRemoval(page, 'big');
    await go(page, 'Tasks');
    const row = executing(page, 'rbd/big');
    await row.getByText(/\d+ % · [\d.]+ %\/s · .+ left/).waitFor();
    const bar = row.getByRole('progressbar');
    const before = Number(await bar.getAttribute('value'));
    await eventually(async () => Number(await bar.getAttribute('value')) > before, 'the bar has grown');
    await visit.look('removal-under-way');
    await row.getByRole('link', { name: 'rbd/delete' }).click();
    await headline(page, 'rbd/delete rbd/big').waitFor();
    await page.getByText(/left/).waitFor();
    await visit.look('task-under-way');
    await cancel(page, 'rbd/big');
    await executing(page, 'rbd/big').waitFor({ state: 'detached' });
    await visit.look('removal-cancelled');
});

check('what cannot be done is said where it was asked, in the list and on its own page', async (page, visit) => {
    await helper('create', 'twice');
    await open(page, '#/images');
    const form = await fillCreate(page, 'twice');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByRole('alert').getByText(/exists/).waitFor();
    await visit.look('create-refused');
    await go(page, 'Tasks');
    const row = finished(page, 'rbd/twice').filter({ hasText: 'failed' });
    await row.getByText(/exists/).waitFor();
    await row.getByRole('link', { name: 'rbd/create' }).click();
    await page.getByRole('region', { name: 'Error' }).getByText('Error 17').waitFor();
    await visit.look('task-failed');
});

check('an image in use is not removed, and is still there when it is no longer used', async (page, visit) => {
    await helper('create', 'used');
    await helper('watch', 'rbd/used');
    await open(page, '#/images');
    const form = await askRemoval(page, 'rbd/used');
    await form.getByRole('alert').getByText(/busy|in use|watcher/i).waitFor({ timeout: 60000 });
    await visit.look('image-in-use');
    await helper('end_watchers');
    await askRemoval(page, 'rbd/used');
    await form.getByText(/Done/).waitFor({ timeout: 60000 });
    assert.equal(await form.getByRole('alert').count(), 0, 'the refusal is gone');
});

check('search and state narrow the lists', async (page, visit) => {
    await helper('create', 'needle');
    await helper('create', 'needle'); // which fails
    await helper('create', 'straw');
    await open(page);
    await finished(page, 'rbd/straw').waitFor();
    await page.getByLabel('Search').fill('NEEDLE');
    await finished(page, 'rbd/straw').waitFor({ state: 'detached' });
    assert.equal(await finished(page, 'rbd/needle').count(), 2);
    await page.getByLabel('State').selectOption('failed');
    await eventually(async () => (await finished(page, 'rbd/needle').count()) === 1, 'only the one that failed');
    await headline(page, 'Finished (1)').waitFor();
    await visit.look('filtered');
    await page.getByLabel('Search').fill('no such thing');
    await page.getByText('Nothing is listed.').waitFor();
});

check('it fits phones and desks, light and dark', async (page, visit) => {
    await startRemoval(page, 'wide-and-narrow');
    await helper('create', 'wide-and-narrow-with-a-name-that-is-much-longer-than-what-a-telephone-has-room-for');
    await helper('create', 'wide-and-narrow-with-a-name-that-is-much-longer-than-what-a-telephone-has-room-for');
    await open(page);
    await executing(page, 'rbd/wide-and-narrow').getByText(/left/).waitFor();
    const task = (await finished(page, 'failed').first().getByRole('link').getAttribute('href'));
    for (const [size, viewport] of Object.entries({ narrow: phone, wide: { width: 1440, height: 900 } }))
        for (const colorScheme of ['light', 'dark']) {
            await page.setViewportSize(viewport);
            await page.emulateMedia({ colorScheme });
            for (const [name, where] of Object.entries({ tasks: '#/', history: '#/history', images: '#/images', task })) {
                await page.goto(`${home}/${where}`);
                await page.locator('main h2').first().waitFor();
                if (name === 'tasks') await executing(page, 'rbd/wide-and-narrow').waitFor();
                if (name === 'history') await page.locator('main li').first().waitFor();
                await visit.look(`${name}-${size}-${colorScheme}`);
                const width = await page.evaluate(() => document.documentElement.scrollWidth);
                assert.ok(width <= viewport.width, `${name} is ${width} px wide where there are ${viewport.width}`);
            }
        }
    await cancel(page, 'rbd/wide-and-narrow');
});

check('the history is searched, and read by pages', async (page, visit) => {
    await helper('create_many', Array.from({ length: 105 }, (_, n) => `crowd-${String(n).padStart(3, '0')}`));
    await open(page, '#/history');
    const rows = page.locator('main li');
    await page.getByLabel('Search').fill('rbd/crowd-');
    await page.getByText('1–100 of 105').waitFor();
    await visit.look('history');
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('101–105 of 105').waitFor();
    assert.equal(await rows.count(), 5);
    await page.getByLabel('Search').fill('rbd/crowd-042');
    await eventually(async () => (await rows.count()) === 1, 'one is found');
    await rows.getByRole('link', { name: 'rbd/create' }).click(); // which is no longer among the newest
    await headline(page, 'rbd/create rbd/crowd-042').waitFor();
    await page.goBack();
    await page.getByLabel('State').selectOption('failed');
    await page.getByLabel('Search').fill('crowd-042');
    await page.getByText('Nothing is listed.').waitFor();
});

check('the keyboard is enough', async (page, visit) => {
    const focused = () => page.evaluate(() => {
        const one = document.activeElement;
        return one.labels?.[0]?.innerText.trim() || one.getAttribute('aria-label') || one.innerText?.trim().split('\n')[0] || one.tagName;
    });
    const tabTo = async (name) => {
        for (let n = 0; n < 30; n += 1) {
            await page.keyboard.press('Tab');
            if (name.test(await focused())) return;
        }
        assert.fail(`Tab does not reach ${name}; it is at ${await focused()}`);
    };
    await open(page);
    const order = [];
    for (let n = 0; n < 5; n += 1) {
        await page.keyboard.press('Tab');
        order.push(await focused());
    }
    assert.deepEqual(order.map((name) => name.split(/\s/)[0]), ['Tasks', 'History', 'Images', 'Search', 'State']);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.type('no such thing');
    await page.getByText('Nothing is listed.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Nothing is listed.').waitFor({ state: 'detached' });

    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await headline(page, 'Create an image').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'MAIN', 'the reader is at what came');
    await tabTo(/^Pool$/);
    await page.keyboard.type('rbd');
    await tabTo(/^Name$/);
    await page.keyboard.type('by-keyboard');
    await visit.look('focus-in-form');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'its task' }).waitFor();
    await tabTo(/^its task$/);
    await page.keyboard.press('Enter');
    await headline(page, 'rbd/create rbd/by-keyboard').waitFor();

    await helper('make_images', ['slow-by-keyboard'], 2048 * gib);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await tabTo(/^Image, as/);
    await page.keyboard.type('rbd/slow-by-keyboard');
    page.once('dialog', (dialog) => dialog.dismiss()); // as Escape does
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Nothing was removed.').waitFor();
    page.once('dialog', (dialog) => dialog.accept());
    await page.keyboard.press('Enter');
    await page.getByText('Under way').waitFor();
    await page.getByRole('link', { name: 'Tasks' }).focus();
    await page.keyboard.press('Enter');
    await executing(page, 'rbd/slow-by-keyboard').waitFor();
    await tabTo(/^Cancel .*slow-by-keyboard$/);
    await visit.look('focus-on-cancel');
    await page.keyboard.press('Enter');
    await finished(page, 'rbd/slow-by-keyboard').getByText('cancelled', { exact: true }).waitFor();
});

for (const [timezoneId, ahead] of [['Asia/Kolkata', 5.5], ['America/St_Johns', null]])
    check(`times are those of ${timezoneId} there`, { timezoneId }, async (page, visit) => {
        const name = `at-${timezoneId.split('/')[1].toLowerCase()}`;
        await helper('create', name);
        await open(page);
        const time = finished(page, name).locator('time');
        const utc = await time.getAttribute('datetime');
        const there = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: timezoneId }).format(new Date(utc));
        assert.equal(plain(await time.innerText()), plain(there));
        assert.match(await time.getAttribute('title'), /^\S+Z \(UTC\)$/);
        assert.ok(Math.abs(Date.now() - new Date(utc)) < 120000, `${utc} is now`);
        if (ahead) assert.ok(plain(there).includes(clock(new Date(new Date(utc).getTime() + ahead * 3600e3))), `${there} is ${ahead} h ahead of ${utc}`);
        await visit.look(`times-${name}`);
    });

check('what others do shows at once', async (page) => {
    await open(page);
    const isLive = (await state(page).innerText()) === 'Live';
    await helper('create', 'by-somebody-else');
    const began = Date.now();
    await finished(page, 'rbd/by-somebody-else').waitFor();
    const took = Date.now() - began;
    assert.ok(took < (isLive ? 2000 : 4000), `${took} ms, ${isLive ? 'by events' : 'reading every 2 s'}`);
    console.log(`  shown ${took} ms after the answer, ${isLive ? 'by events' : 'reading every 2 s'}`);
});

check('it waits for a daemon that was stopped, and goes on', async (page, visit) => {
    await helper('create', 'before-the-stop');
    await open(page);
    await finished(page, 'rbd/before-the-stop').waitFor();
    await helper('stop');
    await state(page).getByText('The daemon does not answer').waitFor();
    assert.equal(await finished(page, 'rbd/before-the-stop').count(), 1, 'what was known stays');
    await visit.look('daemon-stopped');
    await helper('serve');
    await eventually(async () => /Live|Read every/.test(await state(page).innerText()), 'the page reads again', 30);
    await helper('create', 'after-the-start');
    await finished(page, 'rbd/after-the-start').waitFor();
    await finished(page, 'rbd/before-the-stop').waitFor();
    await visit.look('daemon-started-again');
});

check('those that wait show their place in line', async (page, visit) => {
    await helper('serve', 'none', '--per-pool', '1');
    const names = ['one-of-three', 'two-of-three', 'three-of-three'];
    await helper('make_images', names, 2048 * gib);
    await helper('start_removals', ...names);
    await open(page);
    await executing(page, names[1]).getByText(/queued · .+ · next in line/).waitFor();
    await executing(page, names[2]).getByText('1 before it').waitFor();
    await visit.look('queue');
    await executing(page, names[0]).getByRole('button', { name: /Cancel/ }).click();
    await executing(page, names[2]).getByText('next in line').waitFor();
    for (const name of names.slice(1)) await cancel(page, name);
    await helper('serve');
});

check('an answer that is older than what events told changes nothing', async (page) => {
    const name = 'rbd/answered-late';
    await startRemoval(page, 'answered-late');
    await page.route('**/api/task/*', async (route) => {
        if (route.request().method() !== 'DELETE') return route.continue();
        const response = await route.fetch();
        await finished(page, name).getByText('cancelled', { exact: true }).waitFor();
        await route.fulfill({ response });
    });
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await cancel(page, name);
    await (await answered).finished();
    await helper('create', 'after-the-answer');
    await finished(page, 'rbd/after-the-answer').waitFor(); // the page was drawn anew
    assert.equal(await executing(page, name).count(), 0, 'it is not executing again');
    assert.equal(await finished(page, name).count(), 1, 'it is still listed as finished');
});

check('of a daemon that stands by it leads to the active one', async (page, visit) => {
    await open(page);
    const other = await helper('change_roles');
    await page.waitForURL(`${other}/`);
    await eventually(async () => /Live|Read every/.test(await state(page).innerText()), 'the page of the active one reads');
    await page.goto(`${home}/#/history`);
    await page.waitForURL(`${other}/#/history`);
    visit.forgive(/connect-src.*\/api\/task\/events|\/api\/task\/events' violates/); // where the standby sent its EventSource
    await helper('serve');
});

check('with users it asks for a login, and keeps to what the user may do', async (page, visit) => {
    await helper('create', 'before-users');
    await helper('serve', 'own');
    for (const [name, role] of [['alice', 'administrator'], ['reader', 'read-only']]) await helper('make_user', name, role, `The-${name}-1!`);
    const login = async (name, password) => {
        await page.getByLabel('User').fill(name);
        await page.getByLabel('Password').fill(password);
        await page.keyboard.press('Enter');
    };
    await page.goto(home);
    await headline(page, 'Log in').waitFor();
    await visit.look('login');
    await login('alice', 'wrong');
    await page.getByRole('alert').getByText('Invalid credentials').waitFor();
    await visit.look('login-refused');
    await login('alice', 'The-alice-1!');
    await headline(page, /^Finished/).waitFor();
    await finished(page, 'rbd/').first().waitFor();
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ['token', true, 'Strict']);
    await page.reload();
    await finished(page, 'rbd/').first().waitFor();
    await visit.look('logged-in');
    await page.getByRole('button', { name: 'Log out' }).click();
    await headline(page, 'Log in').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Log out' }).count(), 0);
    assert.deepEqual(await page.context().cookies(), []);

    await login('alice', 'The-alice-1!');
    await finished(page, 'rbd/').first().waitFor();
    await page.context().clearCookies(); // as at the end of its time; the daemon ends the stream of events then
    await page.reload();
    await headline(page, 'Log in').waitFor();
    await login('reader', 'The-reader-1!');
    await finished(page, 'rbd/').first().waitFor();
    await go(page, 'Images');
    const form = await fillCreate(page, 'forbidden');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByRole('alert').getByText(/permission/i).waitFor();
    await visit.look('forbidden');
});

// Engines differ in the kind of spaces that they put into times.
function plain(text) {
    return text.replace(/\s/g, ' ');
}

function clock(date) {
    return date.toISOString().slice(11, 19);
}

// The page of Ceph's dashboard, as it was installed, with ceph-taskd's tasks in it.
import assert from 'node:assert/strict';
import { check, eventually, helper } from './visit.mjs';

const { PAGE_URL: home, PAGE_USER: user, PAGE_PASSWORD: password } = process.env;
const gib = 2 ** 30;


const row = (page, name) => page.locator('cd-rbd-list datatable-body-row', { hasText: name });
const toast = (page, kind) => page.locator(`#toast-container .toast-${kind}`);

async function login(page) {
    await page.goto(`${home}/#/login`);
    await page.locator('[name=username]').fill(user);
    await page.locator('[name=password]').fill(password);
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/(dashboard|expand-cluster)/);
    await page.goto(`${home}/#/block/rbd`);
    await page.locator('cd-rbd-list cd-table').first().waitFor();
}

async function create(page, name) {
    await page.goto(`${home}/#/block/rbd/create`);
    const pool = page.locator('cd-rbd-form #pool');
    await pool.locator('option', { hasText: 'rbd' }).waitFor({ state: 'attached' });
    await pool.selectOption({ label: 'rbd' });
    await page.locator('cd-rbd-form #name').fill(name);
    await page.locator('cd-rbd-form #size').fill('1GiB');
    await page.getByRole('button', { name: 'Create RBD' }).click();
}

async function remove(page, name) {
    await row(page, name).click();
    await page.locator('cd-rbd-list .table-actions button.dropdown-toggle-split').click();
    await page.locator('cd-rbd-list .table-actions').getByRole('button', { name: 'Delete' }).click();
    const question = page.locator('cd-modal');
    await question.getByText('Yes, I am sure').click(); // the box's label, which is drawn over it
    await question.locator('#confirmation:checked').waitFor({ state: 'attached' });
    await question.getByRole('button', { name: 'Delete RBD' }).click();
    return question; // it goes when the deletion is under way, and stays when that was refused
}

async function percentOf(page, name) {
    const words = await row(page, name).innerText().catch(() => '');
    return Number(/Deleting\.\.\. (\d+)\s?%/.exec(words)?.[1] ?? -1);
}

async function expectGrowth(page, name) {
    const first = await eventually(async () => Math.max(0, await percentOf(page, name)), `${name} is said to be some percent deleted`, 60);
    const next = await eventually(async () => Math.max(0, (await percentOf(page, name)) - first), `the percentage of ${name} grows from ${first}`, 60);
    console.log(`  the table said ${first} %, then ${first + next} %`);
}

// The bell's list, which has finished tasks of the past too. By an event, as a toast may be drawn over the bell.
async function readNotifications(page, use) {
    const bell = page.locator('cd-notifications a').first();
    await bell.dispatchEvent('click');
    await use(page.locator('cd-notifications-sidebar'));
    await bell.dispatchEvent('click');
}

check('an image is made in its form, and a notification tells', async (page, visit) => {
    await login(page);
    await create(page, 'from-the-form');
    await row(page, 'from-the-form').waitFor();
    assert.ok((await helper('images', 'from')).includes('from-the-form'), 'the image is there');
    await visit.screenshot('made');
    await readNotifications(page, async (list) => {
        await list.getByText("Created RBD 'rbd/from-the-form'").waitFor();
        await visit.screenshot('notification');
    });
});

check('one that exists is refused by an error that says so', async (page, visit) => {
    await helper('create', 'there-already');
    await login(page);
    await create(page, 'there-already');
    await toast(page, 'error').getByText(/there-already/).first().waitFor();
    await visit.screenshot('refused');
    assert.match(await toast(page, 'error').first().innerText(), /already/);
});

check('how much of an image is deleted grows in the table, and its cancelling is told', async (page, visit) => {
    await helper('make_images', ['big'], 2048 * gib); // without an object map: each of its objects is tried
    await login(page);
    await remove(page, 'big');
    await expectGrowth(page, 'big');
    await visit.screenshot('deleting');
    await readNotifications(page, async (list) => {
        await list.getByText("Deleting RBD 'rbd/big'").waitFor();
        await visit.screenshot('deleting-in-sidebar');
    });
    await helper('cancel', 'big');
    await toast(page, 'error').getByText("Failed to delete RBD 'rbd/big'").waitFor();
    await visit.screenshot('cancelled');
});

check('an image in use is not deleted, for the reason that is told', async (page, visit) => {
    await helper('create', 'used');
    await helper('watch', 'rbd/used');
    await login(page);
    const question = await remove(page, 'used');
    await toast(page, 'error').getByText("Failed to delete RBD 'rbd/used'").waitFor({ timeout: 60000 });
    assert.match(await toast(page, 'error').first().innerText(), /busy/);
    await visit.screenshot('in-use');
    await helper('end_watchers');
    await question.getByRole('button', { name: 'Cancel' }).click();
    await readNotifications(page, async (list) => {
        await list.getByText("Failed to delete RBD 'rbd/used'").first().waitFor();
        await visit.screenshot('failure-in-sidebar');
    });
    await remove(page, 'used');
    await row(page, 'used').waitFor({ state: 'detached' });
});

check('a task goes on and is seen while one mgr takes over from another, and so are new ones', async (page, visit) => {
    await helper('make_images', ['long', 'later'], 2048 * gib);
    await login(page);
    await remove(page, 'long');
    await expectGrowth(page, 'long');
    await helper('replace_mgr');
    await expectGrowth(page, 'long');
    await visit.screenshot('after-failover');
    await helper('cancel', 'long');
    await toast(page, 'error').getByText("Failed to delete RBD 'rbd/long'").waitFor();
    await remove(page, 'later');
    await expectGrowth(page, 'later');
    await helper('cancel', 'later');
    await toast(page, 'error').getByText("Failed to delete RBD 'rbd/later'").waitFor();

    await page.context().clearCookies();
    await login(page);
    await create(page, 'after-failover');
    await row(page, 'after-failover').waitFor();
    await visit.screenshot('made-after-failover');
    visit.errors.length = 0; // its scripts complain of what they asked the mgrs meanwhile
});

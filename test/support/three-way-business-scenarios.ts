/** Three-way restores of one business among others: whose the rows were, are, and must stay. Run against every kind of source. */
import { Stand, type ChangeSetFixture } from './change-set-scenarios';
import { backup, restore } from './engine-context';
import { ThreeWayStand } from './three-way-stand';

export function describeThreeWayOfOneBusiness(name: string, fixture: ChangeSetFixture): void {
  describe(`three-way restores on ${name}`, () => {
    let stand: Stand;
    let three: ThreeWayStand;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      three = new ThreeWayStand(stand, fixture);
    });
    afterEach(() => stand.close());

    it('of one business leave rows alone that came to another since, by whatever path', async () => {
      await three.live(
        [`UPDATE factor SET note = 'damaged' WHERE assessment_id = 'a7-0'`],
        [`UPDATE assessment SET business_id = 'b2' WHERE id = 'a7-0'`],
      );
      const spec = { type: 'BUSINESS', businessId: 'b7' } as const;
      const refused = { code: 'CONFLICT', message: expect.stringMatching(/factor.*another business's/) };
      await expect(three.plan('TAKE_BACKUP', spec)).rejects.toMatchObject(refused);
      await expect(three.restore('TAKE_BACKUP', spec)).rejects.toMatchObject(refused);
      expect(await three.state()).toEqual(three.before);
    });

    it('of one business give back rows below one that the damage gave to another', async () => {
      await three.live(
        [
          `UPDATE assessment SET business_id = 'b9' WHERE id = 'a1-0'`,
          `UPDATE factor SET note = 'damaged' WHERE assessment_id = 'a1-0'`,
        ],
        [],
      );
      await three.restore('FAIL', { type: 'BUSINESS', businessId: 'b1' });
      expect(await three.state()).toEqual(three.expected('FAIL').state);
    });

    it('delete no row that the damage took from a business which the undamaged backup does not hold', async () => {
      const spec = { type: 'BUSINESS', businessId: 'b7' } as const;
      const one = (await backup(stand.bench, spec)).stored.manifest.backupId;
      await three.live([`UPDATE assessment SET business_id = 'b7' WHERE id = 'a1-0'`], []);
      const refused = { code: 'BACKUP_NOT_RESTORABLE', message: expect.stringMatching(/holds the business b7 alone/) };
      await expect(stand.plan(one, { ...three.threeWay(), ...spec })).rejects.toMatchObject(refused);
      const wanted = { backupId: one, ...three.threeWay(), ...spec };
      await expect(restore(stand.bench, wanted)).rejects.toMatchObject(refused);
      await three.restore('FAIL', { type: 'BUSINESS', businessId: 'b1' });
      expect(await three.state()).toEqual(three.expected('FAIL').state);
    });
  });
}

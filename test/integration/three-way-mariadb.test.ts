/** Three-way restores on MariaDB, where columns move by themselves with each update. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';
import { Stand } from '../support/change-set-scenarios';
import { describeThreeWayOfOneBusiness } from '../support/three-way-business-scenarios';
import { describeThreeWay } from '../support/three-way-scenarios';
import { ThreeWayStand } from '../support/three-way-stand';

const MOVING = ', moved_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)';

jest.setTimeout(120_000);
const fixture = { ...mariadbEngineFixture, movingColumn: MOVING, meddlingTrigger: null };
const REORDER = 'ALTER TABLE config MODIFY rank_no BIGINT NULL FIRST';
const DAMAGE = `UPDATE config SET name = 'damaged', rank_no = rank_no + 1000 WHERE id IN (3, 4)`;

function describeColumnOrders(): void {
  describe('three-way restores on MariaDB where columns changed places', () => {
    let stand: Stand;
    let three: ThreeWayStand;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      three = new ThreeWayStand(stand, fixture);
    });
    afterEach(() => stand.close());

    it('in the live table alone go as ever', async () => {
      await three.live([DAMAGE], []);
      await stand.exec(REORDER);
      await three.restore();
      const rows = await stand.sql.query('SELECT id, name, rank_no FROM config WHERE id IN (3, 4) ORDER BY id');
      expect(rows).toEqual([['3', 'value 3', '3'], ['4', 'value 4', '4']]); // prettier-ignore
    });

    it('between the two backups are refused', async () => {
      await three.live([DAMAGE, REORDER], []);
      await expect(three.restore()).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/columns of config stand in another order/),
      });
    });
  });
}

function describeTriggers(): void {
  it('three-way restores on MariaDB change nothing where a trigger writes over later edits, in whatever table of theirs', async () => {
    const stand = await Stand.open(fixture);
    try {
      const three = new ThreeWayStand(stand, fixture);
      const meddling = `CREATE TRIGGER meddling AFTER INSERT ON config FOR EACH ROW UPDATE business SET name = 'old'`;
      await three.live(['DELETE FROM config WHERE id = 7'], [`UPDATE business SET name = 'later'`, meddling]);
      await expect(three.restore()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/business got other rows.*meddling/),
      });
      expect(await three.state()).toEqual(three.before);
    } finally {
      await stand.close();
    }
  });
}

if (canHaveMariadb()) {
  describeThreeWay('MariaDB', fixture);
  describeThreeWayOfOneBusiness('MariaDB', fixture);
  describeTriggers();
  describeColumnOrders();
} else it.skip('three-way restores on MariaDB: there is no server', () => undefined);

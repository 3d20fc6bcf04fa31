/** After all suites: ends what `global-setup` started. */
import { stopMariadb } from './mariadb';

export default stopMariadb;

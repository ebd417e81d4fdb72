package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
)

// releaseJobColumns are the columns of a release job, in the order of replaceReleaseJob and scanReleaseJob.
const releaseJobColumns = `webhook, version, lease_until, receiving_since, paced_until`

// ReleaseJobs implements store.Held.
func (db *DB) ReleaseJobs(ctx context.Context) (jobs []delivery.ReleaseJob, err error) {
	defer fault.Wrap(&err, "list release jobs")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn.Prep(`SELECT `+releaseJobColumns+` FROM release_jobs`), func(row *columns) error {
			jobs = append(jobs, scanReleaseJob(row))
			return nil
		})
	})
	return jobs, err
}

// PutReleaseJob implements store.Held.
func (db *DB) PutReleaseJob(ctx context.Context, j *delivery.ReleaseJob) (err error) {
	defer fault.Wrap(&err, "store the release job of %s", j.Webhook)
	changed := *j
	changed.Version++
	err = db.write(ctx, func(conn *sqlite.Conn) error {
		stored, err := releaseJob(conn, j.Webhook)
		switch {
		case err != nil:
			return err
		case sameReleaseJob(stored, changed): // the response to the same write was lost
			return nil
		case stored.Version != j.Version:
			return store.Conflict(store.ReleaseJobKind)
		}
		return replaceReleaseJob(conn, changed)
	})
	if err == nil {
		j.Version = changed.Version
	}
	return err
}

// DeleteReleaseJob implements store.Held.
func (db *DB) DeleteReleaseJob(ctx context.Context, webhookID string, version int64) (err error) {
	defer fault.Wrap(&err, "delete the release job of %s", webhookID)
	return db.write(ctx, func(conn *sqlite.Conn) error {
		stored, err := releaseJob(conn, webhookID)
		if err != nil {
			return err
		}
		if stored.Version != version {
			return store.Conflict(store.ReleaseJobKind)
		}
		return execute(bind(conn, `DELETE FROM release_jobs WHERE webhook = ?`).text(webhookID).stmt)
	})
}

// releaseJob reads the job of a webhook.
func releaseJob(conn *sqlite.Conn, webhookID string) (j delivery.ReleaseJob, err error) {
	p := bind(conn, `SELECT `+releaseJobColumns+` FROM release_jobs WHERE webhook = ?`).text(webhookID)
	found, err := first(p.stmt, func(row *columns) error {
		j = scanReleaseJob(row)
		return nil
	})
	if err == nil && !found {
		err = store.Missing(store.ReleaseJobKind, webhookID)
	}
	return j, err
}

// replaceReleaseJob stores a job, in place of one of the same webhook.
func replaceReleaseJob(conn *sqlite.Conn, j delivery.ReleaseJob) error {
	p := bind(conn, `INSERT OR REPLACE INTO release_jobs (`+releaseJobColumns+`) VALUES (?, ?, ?, ?, ?)`)
	return execute(p.text(j.Webhook).number(j.Version).time(j.LeaseUntil).time(j.ReceivingSince).time(j.PacedUntil).stmt)
}

// sameReleaseJob reports whether two jobs of a webhook are equal.
func sameReleaseJob(a, b delivery.ReleaseJob) bool {
	return a.Version == b.Version && a.LeaseUntil.Equal(b.LeaseUntil) && a.ReceivingSince.Equal(b.ReceivingSince) &&
		a.PacedUntil.Equal(b.PacedUntil)
}

func scanReleaseJob(row *columns) delivery.ReleaseJob {
	return delivery.ReleaseJob{
		Webhook: row.text(), Version: row.number(), LeaseUntil: row.time(), ReceivingSince: row.time(), PacedUntil: row.time(),
	}
}

-- Ours over procrastinate 3.10 (MIT). Why each piece is here: docs/adr/0003-job-queue.md

-- Why a job failed last, and how many workers died with it. Gone when its job is.
CREATE TABLE job_failure (
    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs (id) ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL,
    message_ru text NOT NULL,
    message_en text NOT NULL,
    crashes integer NOT NULL DEFAULT 0
);

-- The page of stuck jobs and the pruning read by state; the library has no such index.
CREATE INDEX job_final ON procrastinate_jobs (status, id)
    WHERE status IN ('failed', 'cancelled', 'aborted', 'doing');

-- A lock is looked up on every fetch; the library's index starts with the id.
CREATE INDEX job_lock ON procrastinate_jobs (lock)
    WHERE lock IS NOT NULL AND status IN ('todo', 'doing');

-- Replaced (docflow): a job that waits for its time does not hold its lock against the others,
-- and two workers that grab the same lock at once do not stop one of them with an error.
CREATE OR REPLACE FUNCTION procrastinate_fetch_job_v2(
    target_queue_names character varying[],
    p_worker_id bigint
)
    RETURNS procrastinate_jobs
    LANGUAGE plpgsql
    -- A bulk just queued is not analysed yet, and the planner would sort all of it for each fetch.
    SET enable_sort = off
    SET enable_seqscan = off
    SET enable_bitmapscan = off
AS $$
DECLARE
    found_jobs procrastinate_jobs;
BEGIN
    -- docflow: see core/jobs/schema.sql
    FOR attempt IN 1..5 LOOP
        BEGIN
            WITH candidate AS (
                SELECT jobs.id
                    FROM procrastinate_jobs AS jobs
                    WHERE (
                            jobs.lock IS NULL
                            OR NOT EXISTS (
                                SELECT 1
                                    FROM procrastinate_jobs AS other
                                    WHERE other.lock = jobs.lock
                                        AND other.status IN ('todo', 'doing')
                                        AND (
                                            other.status = 'doing'
                                            OR (
                                                (other.scheduled_at IS NULL
                                                    OR other.scheduled_at <= now())
                                                AND (other.priority > jobs.priority
                                                    OR (other.priority = jobs.priority
                                                        AND other.id < jobs.id))
                                            )
                                        )
                            )
                        )
                        AND jobs.status = 'todo'
                        AND (target_queue_names IS NULL
                            OR jobs.queue_name = ANY (target_queue_names))
                        AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
                    ORDER BY jobs.priority DESC, jobs.id ASC
                    LIMIT 1
                    FOR UPDATE OF jobs SKIP LOCKED
            )
            UPDATE procrastinate_jobs
                SET status = 'doing', worker_id = p_worker_id
                FROM candidate
                WHERE procrastinate_jobs.id = candidate.id
                RETURNING procrastinate_jobs.* INTO found_jobs;
            RETURN found_jobs;
        EXCEPTION WHEN unique_violation THEN
            found_jobs := NULL;
        END;
    END LOOP;
    RETURN found_jobs;
END;
$$;

-- Replaced (docflow): a job whose key was queued again while it ran gives way to the newer one;
-- the library's version raises, and the job stays 'doing' for ever with a living worker.
CREATE OR REPLACE FUNCTION procrastinate_retry_job_v2(
    job_id bigint,
    retry_at timestamp with time zone,
    new_priority integer,
    new_queue_name character varying,
    new_lock character varying
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    was procrastinate_jobs;
BEGIN
    -- docflow: see core/jobs/schema.sql
    SELECT * FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('doing', 'failed')
        FOR UPDATE
        INTO was;
    IF was.id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;
    IF was.status = 'doing' AND was.abort_requested THEN
        UPDATE procrastinate_jobs SET status = 'failed' WHERE id = job_id;
        RETURN;
    END IF;
    BEGIN
        UPDATE procrastinate_jobs
            SET status = 'todo',
                attempts = attempts + 1,
                worker_id = NULL,
                scheduled_at = retry_at,
                priority = COALESCE(new_priority, priority),
                queue_name = COALESCE(new_queue_name, queue_name),
                lock = COALESCE(new_lock, lock)
            WHERE id = job_id;
    EXCEPTION WHEN unique_violation THEN
        UPDATE procrastinate_jobs
            SET status = 'cancelled', attempts = attempts + 1, worker_id = NULL
            WHERE id = job_id;
    END;
END;
$$;

-- The library wakes workers for new jobs only. A job that ends frees its lock, and a job that
-- goes back to the queue can be taken at once: both wake them too.
CREATE FUNCTION job_wake_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payload text := json_build_object('type', 'job_inserted', 'job_id', OLD.id)::text;
BEGIN
    PERFORM pg_notify('procrastinate_queue_v1#' || OLD.queue_name, payload);
    PERFORM pg_notify('procrastinate_any_queue_v1', payload);
    RETURN NULL;
END;
$$;

CREATE TRIGGER job_wake_on_end AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW
    WHEN (OLD.status IN ('doing', 'failed') AND (OLD.lock IS NOT NULL OR NEW.status = 'todo'))
    EXECUTE FUNCTION job_wake_v1();

CREATE TRIGGER job_wake_on_delete AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW
    WHEN (OLD.status = 'doing' AND OLD.lock IS NOT NULL)
    EXECUTE FUNCTION job_wake_v1();

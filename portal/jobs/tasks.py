"""The jobs: each opens a session and calls one service; and when they are due by themselves."""

from __future__ import annotations

from flask import Flask
from procrastinate import App, JobContext, PsycopgConnector

from portal.domain.jobs import (
    CHARGE_NEW_CARDS,
    DELIVER,
    MAIL_RESET_LINK,
    MATCH,
    RECHARGE,
    SEND_MAIL,
    queue_of,
)
from portal.domain.support import Consent
from portal.jobs.means import Means, opened
from portal.services import (
    declaring,
    delivering,
    digesting,
    documents,
    expiring,
    forgetting,
    mailing,
    overdue,
    recharging,
    reconciling,
    renewing,
    resetting,
    rounds,
    support_endings,
    usage,
)

EACH_MINUTE = "* * * * *"
EACH_QUARTER = "*/15 * * * *"
EACH_HOUR = "7 * * * *"
KEPT_HOURS = 7 * 24


def jobs_of(app: Flask, means: Means, environment_id: int) -> App:
    """The job engine with every task of one environment, on connections of its own."""
    url = means.settings.database_url.get_secret_value().replace("+psycopg", "", 1)
    jobs = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=4))
    queue = queue_of(environment_id)
    _add_mail(jobs, app, means, queue)
    _add_reset_links(jobs, app, means, queue)
    _add_billing(jobs, app, means, queue)
    _add_new_cards(jobs, app, means, queue)
    _add_recharge(jobs, app, means, queue)
    _add_papers(jobs, app, means, queue)
    _add_declarations(jobs, app, means, queue)
    _add_reminders(jobs, app, means, queue)
    _add_forgetting(jobs, app, means, queue)
    _add_webhooks(jobs, app, means, queue)
    _add_retries(jobs, queue)
    return jobs


def _add_mail(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def send() -> None:
        if means.postman is None:
            return
        with opened(app, means) as (session, scope):
            mailing.send_due(
                session, scope, writer=means.writer, printer=means.printer, postman=means.postman,
                wall=means.now(),
            )  # fmt: skip

    @jobs.task(name=SEND_MAIL, queue=queue)
    def send_mail(environment_id: int) -> None:
        send()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="send_waiting_mail", queue=queue, queueing_lock=f"{queue}:mail")
    def send_waiting_mail(timestamp: int) -> None:
        send()


def _add_reset_links(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def mail() -> None:
        with opened(app, means) as (session, scope):
            resetting.mail_waiting(session, scope, means.now(), means.safe)

    @jobs.task(name=MAIL_RESET_LINK, queue=queue)
    def mail_reset_link(environment_id: int) -> None:
        mail()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="mail_waiting_links", queue=queue, queueing_lock=f"{queue}:reset_links")
    def mail_waiting_links(timestamp: int) -> None:
        mail()


def _add_billing(jobs: App, app: Flask, means: Means, queue: str) -> None:
    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="run_due", queue=queue, queueing_lock=f"{queue}:due")
    def run_due(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            renewing.run_due(session, scope, gateway=means.gateway, wall=means.now())

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="reconcile", queue=queue, queueing_lock=f"{queue}:reconcile")
    def reconcile(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            reconciling.reconcile(session, scope, gateway=means.gateway, wall=means.now())


def _add_new_cards(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def run() -> None:
        with opened(app, means) as (session, scope):
            overdue.charge_new_cards(session, scope, gateway=means.gateway, wall=means.now())

    @jobs.task(name=CHARGE_NEW_CARDS, queue=queue)
    def charge_new_cards(environment_id: int) -> None:
        run()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="charge_waiting_cards", queue=queue, queueing_lock=f"{queue}:new_cards")
    def charge_waiting_cards(timestamp: int) -> None:
        run()


def _add_recharge(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def run() -> None:
        with opened(app, means) as (session, scope):
            recharging.run_due(session, scope, gateway=means.gateway, wall=means.now())

    @jobs.task(name=RECHARGE, queue=queue)
    def recharge(environment_id: int) -> None:
        run()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="recharge_waiting", queue=queue, queueing_lock=f"{queue}:recharge")
    def recharge_waiting(timestamp: int) -> None:
        run()


def _add_declarations(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def match() -> None:
        with opened(app, means) as (session, scope):
            declaring.match_waiting(session, scope, means.now())

    @jobs.task(name=MATCH, queue=queue)
    def match_declarations(environment_id: int) -> None:
        match()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="match_waiting", queue=queue, queueing_lock=f"{queue}:declarations")
    def match_waiting(timestamp: int) -> None:
        match()


def _add_papers(jobs: App, app: Flask, means: Means, queue: str) -> None:
    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="print_missing", queue=queue, queueing_lock=f"{queue}:papers")
    def print_missing(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            while documents.print_missing(session, scope, printer=means.printer, wall=means.now()):
                pass


def _add_reminders(jobs: App, app: Flask, means: Means, queue: str) -> None:
    @jobs.periodic(cron=EACH_HOUR, periodic_id=queue)
    @jobs.task(name="remind", queue=queue, queueing_lock=f"{queue}:remind")
    def remind(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            rounds.remind(session, scope, means.now())

    @jobs.periodic(cron=EACH_QUARTER, periodic_id=queue)
    @jobs.task(name="send_digests", queue=queue, queueing_lock=f"{queue}:digests")
    def send_digests(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            digesting.send_digests(session, scope, means.now())


def _add_forgetting(jobs: App, app: Flask, means: Means, queue: str) -> None:
    @jobs.periodic(cron=EACH_HOUR, periodic_id=queue)
    @jobs.task(name="forget_usage_ids", queue=queue, queueing_lock=f"{queue}:usage_ids")
    def forget_usage_ids(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            usage.forget_ids(session, scope, means.now())

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="end_support", queue=queue, queueing_lock=f"{queue}:support")
    def end_support(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            consent = Consent(means.settings.support_view)
            support_endings.end_lapsed(session, scope, consent, means.now())

    @jobs.periodic(cron=EACH_HOUR, periodic_id=queue)
    @jobs.task(name="forget_sign_ins", queue=queue, queueing_lock=f"{queue}:sign_ins")
    def forget_sign_ins(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            forgetting.forget_sign_ins(session, scope, means.now())


def _add_webhooks(jobs: App, app: Flask, means: Means, queue: str) -> None:
    def send() -> None:
        with opened(app, means) as (session, scope):
            delivering.deliver_due(session, scope, courier=means.courier, now=means.now)

    @jobs.task(name=DELIVER, queue=queue)
    def deliver(environment_id: int) -> None:
        send()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="deliver_waiting", queue=queue, queueing_lock=f"{queue}:deliver")
    def deliver_waiting(timestamp: int) -> None:
        send()

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(name="note_endings", queue=queue, queueing_lock=f"{queue}:endings")
    def note_endings(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            expiring.note_endings(session, scope, means.now())

    @jobs.periodic(cron=EACH_HOUR, periodic_id=queue)
    @jobs.task(name="forget_messages", queue=queue, queueing_lock=f"{queue}:messages")
    def forget_messages(timestamp: int) -> None:
        with opened(app, means) as (session, scope):
            delivering.forget_old(session, scope, means.now())


def _add_retries(jobs: App, queue: str) -> None:
    """A worker that died leaves its jobs half done: every one of ours is safe to repeat."""

    @jobs.periodic(cron=EACH_MINUTE, periodic_id=queue)
    @jobs.task(
        name="retry_stalled", queue=queue, queueing_lock=f"{queue}:stalled", pass_context=True
    )
    async def retry_stalled(context: JobContext, timestamp: int) -> None:
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(queue=queue):
            await manager.retry_job(job)

    @jobs.periodic(cron=EACH_HOUR, periodic_id=queue)
    @jobs.task(name="forget_failed", queue=queue, queueing_lock=f"{queue}:failed")
    async def forget_failed(timestamp: int) -> None:
        """Those that succeeded are gone already."""
        await jobs.job_manager.delete_old_jobs(KEPT_HOURS, queue=queue, include_failed=True)

"""The task queue: Celery over Valkey. It carries wake-ups and timers only; all work to be done stands in PostgreSQL."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from celery import Celery

from waypost.kernel import tls
from waypost.kernel.settings import Settings


def build(settings: Settings) -> Celery:
    """Celery as every process of ours uses it: the worker to run tasks, the others to ask for them."""
    url = settings.redis_url.get_secret_value() if settings.redis_url else "redis://127.0.0.1:6379/0"
    celery = Celery("waypost", broker=url, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=False,  # work is not in the message: losing one costs until the next timer, never the work
        task_default_expires=30,
        task_time_limit=600,  # what hangs is ended, and what it had taken is taken again
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=5000,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 30, "socket_keepalive": True},
        timezone="UTC",
        enable_utc=True,
    )
    if url.startswith("rediss://"):
        celery.conf.broker_use_ssl = {
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_ciphers": tls.CIPHERS,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
        if settings.redis_ca_file:
            celery.conf.broker_use_ssl["ssl_ca_certs"] = str(settings.redis_ca_file)
    return celery


def waker(celery: Celery) -> Callable[[str], None]:
    """How to ask a worker for a task. The function raises when the broker is away; then the timer runs the task."""

    def wake(task: str) -> None:
        celery.send_task(task, retry=False, expires=10)

    return wake

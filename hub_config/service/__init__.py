"""The course service: one tornado application behind the hub's proxy, at `/services/course/`.

It answers members' servers (quizzes, submissions) on a unix socket and browsers (trainer's pages)
through the proxy. `app` puts it together, `handler` says who may ask, the other modules are its routes.
"""

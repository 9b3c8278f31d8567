"""Uploads: from the first byte that the page sends to a model of the session.

The page announces a file, then sends one chunk for each request, so that no message is large and
none queue up. It receives messages of kind ``upload`` with the number that it gave the file and a
`step`:

chunk
    Send the next chunk, from byte `offset` on.
busy
    `text` describes the operation, `fraction` is its progress.
check
    The data were read: `table` or `pictures` describes them and what the user may change; `edit` is
    the number of the change that it answers, `error` why training is not possible.
done, failed
    `text` is the result or the error; `learned` describes a model that was trained.
idle
    The upload was cancelled.
"""

class InterruptProcessingException(Exception):
    pass


interrupt_after = None  # calls; None: never


def throw_exception_if_processing_interrupted():
    global interrupt_after
    if interrupt_after is not None:
        interrupt_after -= 1
        if interrupt_after < 0:
            interrupt_after = None
            raise InterruptProcessingException()

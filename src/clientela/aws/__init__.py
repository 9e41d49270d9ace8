"""AWS: what is asked of SageMaker, S3 and EventBridge Scheduler, with boto3 and nothing else."""
